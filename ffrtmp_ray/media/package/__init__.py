"""From encoded chunks to whole files: joined, muxed and verified. Encodes nothing."""
