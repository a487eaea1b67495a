"""What an input may be: the protocols and the containers that may be opened. Data only.

A container that names other files (a playlist, a script, an image pattern) could make ffmpeg
read what its user may not. So containers are allowed by name, and those that hold their own
media are all that there are here.
"""

from __future__ import annotations

PROTOCOLS = ("file",)
"""Of libavformat; an input is a file of this machine."""

DEMUXERS = (
    "aac", "ac3", "aiff", "amr", "asf", "av1", "avi", "caf", "dts", "dv", "eac3", "flac", "flv",
    "gif", "gxf", "h261", "h263", "h264", "hevc", "ivf", "m4v", "matroska", "mov", "mp3", "mpeg",
    "mpegts", "mpegvideo", "mxf", "nsv", "nut", "obu", "ogg", "rm", "vc1", "voc", "w64", "wav",
    "wtv", "yuv4mpegpipe",
)  # fmt: skip  # a list of names reads better than a column of them
"""Of libavformat; `mov` stands for MP4, MOV and 3GP, `matroska` for WebM too."""

OPEN_OPTIONS = {
    "protocol_whitelist": ",".join(PROTOCOLS),
    "format_whitelist": ",".join(DEMUXERS),
}
"""As options of libavformat, for whoever opens an input: ffmpeg or PyAV."""
