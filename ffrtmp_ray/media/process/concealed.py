"""What a decoder says of pictures of which it had to make up a part. Pure."""

from __future__ import annotations

import re

_DOUBTED = re.compile(r"\[error\]|corrupt (decoded frame|input packet)|packet corrupt", re.I)
"""Lines of libavcodec's decoders, of ffmpeg's own look at their frames, and of its demuxers."""
_CONCEALED = re.compile(r"corrupt decoded frame|error submitting packet to decoder", re.I)
"""Of ffmpeg, which is told by decoders."""


def is_doubted(log: str) -> bool:
    """Whether an ffmpeg that ended well may have decoded damaged pictures.

    A decoder that begins to read between keyframes says the same of what it has not read, and a
    demuxer of what lies before a splice.
    """
    return _DOUBTED.search(log) is not None


def is_concealed(log: str) -> bool:
    """Whether an ffmpeg that has read from the beginning, and ended well, has."""
    return _CONCEALED.search(log) is not None
