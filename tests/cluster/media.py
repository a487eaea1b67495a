"""Clips for the tests of a real farm, and what their frames are."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg


def make_clip(path: Path, *, seconds: float, size: str = "320x180") -> Path:
    """A moving picture at 25 frames a second, with sound."""
    sources = [f"testsrc2=s={size}:r=25:d={seconds:g}", f"sine=f=440:d={seconds:g}"]
    inputs = [argument for source in sources for argument in ("-f", "lavfi", "-i", source)]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    subprocess.run([*ffmpeg, *inputs, *encode, str(path)], check=True)
    return path


def frame_times(path: Path) -> list[Fraction]:
    """The time of each frame, from the first one's on, in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.time_base is not None
        times = [frame.pts * stream.time_base for frame in container.decode(stream)]
    return [time - times[0] for time in times]


def with_a_damaged_packet(clip: Path, to: Path, number: int) -> Path:
    """A copy of an MP4 in which one packet of the picture holds nothing but zeros."""
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        place, size = packets[number].pos, packets[number].size
    assert place is not None
    content = bytearray(clip.read_bytes())
    content[place : place + size] = bytes(size)
    to.write_bytes(content)
    return to
