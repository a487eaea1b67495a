"""What a decoder says of pictures of which it had to make up a part. Pure."""

from __future__ import annotations

import re

_CONCEALED = re.compile(r"\[error\]|corrupt (decoded frame|input packet)|packet corrupt", re.I)
"""Lines of libavcodec's decoders, of ffmpeg's own look at their frames, and of its demuxers."""


def is_concealed(log: str) -> bool:
    """Whether an ffmpeg that ended well may have decoded damaged pictures.

    A decoder that begins to read between keyframes says the same of what it has not read.
    """
    return _CONCEALED.search(log) is not None
