"""What an input may be: the protocols and the containers that may be opened. Pure.

A container that names other files (a playlist, a script, an image pattern) could make ffmpeg
read what its user may not. So containers are allowed by name, and those that hold their own
media are all that there are here.
"""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

RELAYED = "http://"
"""How the address of an input begins that is read from this worker's own relay."""
_RECEIVED_BYTES = 256 * 1024
"""That wait for libavformat to read them; the system would keep megabytes, all of them fetched for
nothing when it seeks."""

DEMUXERS = (
    "aac", "ac3", "aiff", "amr", "apng", "asf", "au", "av1", "avi", "caf", "dts", "dv", "eac3",
    "flac", "flv", "gif", "gxf", "h261", "h263", "h264", "hevc", "ivf", "loas", "m4v", "matroska",
    "mov", "mp3", "mpeg", "mpegts", "mpegvideo", "mxf", "nsv", "nut", "obu", "ogg", "rm", "truehd",
    "tta", "vc1", "voc", "vvc", "w64", "wav", "wtv", "wv", "yuv4mpegpipe",
)  # fmt: skip  # a list of names reads better than a column of them
"""Of libavformat; `mov` stands for MP4, MOV and 3GP, `matroska` for WebM too."""

MOST_PIXELS = 8192 * 8192
"""Of a picture: one of 8K and its double. A few bytes can speak of a thousand times as many, and
a decoder takes the memory for several before it sees that nothing is behind them."""

DECODER_OPTIONS = {"max_pixels": str(MOST_PIXELS)}
"""As options of libavcodec."""


def open_options(address: str) -> dict[str, str]:
    """As options of libavformat, for whoever opens an input: ffmpeg or PyAV.

    A relayed one is never asked for through a proxy that the environment may name.
    """
    formats = {"format_whitelist": ",".join(DEMUXERS)}
    if address.startswith(RELAYED):
        network = {"http_proxy": "", "recv_buffer_size": str(_RECEIVED_BYTES)}
        return {"protocol_whitelist": "http,tcp", **formats, **network}
    return {"protocol_whitelist": "file", **formats}


def name_of(address: str) -> str:
    """What a person calls the input at that address."""
    path = unquote(urlsplit(address).path) if address.startswith(RELAYED) else address
    return path.rpartition("/")[2]
