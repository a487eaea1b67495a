"""A transcoding farm: FFmpeg jobs, scheduled across machines by a Ray actor cluster."""
