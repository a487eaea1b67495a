"""Plays a package as ffmpeg's own HLS and DASH readers do, and says what is seen and heard."""

from __future__ import annotations

import io
import subprocess
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from ffrtmp_ray.media.assignment import Succeeded
from tests.media.encoding import run
from tests.media.pipeline import Outcome


@dataclass(frozen=True)
class Played:
    times: list[Fraction]
    """When each frame is shown, counted from the first."""
    hashes: list[int]
    flash: float | None
    """Seconds from the first frame to the first bright one."""
    beep: float | None
    """Seconds from the first frame until something is heard."""


def published(outcome: Outcome) -> list[str]:
    """The names of what a job has published."""
    assert isinstance(outcome.last, Succeeded), (outcome.last, outcome.logs)
    outputs = [Path(each["path"]) for each in outcome.last.result["outputs"]]
    assert all(path.exists() for path in outputs)
    return [path.name for path in outputs]


def play(ffmpeg: str, source: Path, folder: Path, *, picture: int | None = 0) -> Played:
    """`picture` is the number of the rendition, as the manifest has them; None is none. Times count
    from the first frame, or are as they are where there is no picture."""
    copy = folder / f"{source.name}.{picture}.nut"
    maps = [] if picture is None else ["-map", f"0:v:{picture}"]
    if ": Audio:" in _streams(ffmpeg, source):
        maps += ["-map", "0:a:0", "-c:a", "pcm_s16le"]
    raw = ("-c:v", "rawvideo", "-fps_mode", "passthrough", "-enc_time_base:v", "demux")
    run(ffmpeg, "-v", "error", "-y", "-copyts", *_opened(source), *maps, *raw, "-f", "nut", copy)
    played = _look(copy)
    copy.unlink()
    return played


def _opened(source: Path) -> list[str | Path]:
    """ffmpeg's DASH reader opens no .vtt, as other players do, unless it is told to."""
    every = ["-allowed_extensions", "ALL"] if source.suffix == ".mpd" else []
    return [*every, "-i", source]


def _streams(ffmpeg: str, source: Path) -> str:
    asked = [ffmpeg, "-hide_banner", *map(str, _opened(source))]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stderr


def _look(copy: Path) -> Played:
    times: list[Fraction] = []
    hashes: list[int] = []
    flash = beep = None
    with av.open(str(copy)) as container:
        for frame in container.decode():
            assert frame.pts is not None
            assert frame.time_base is not None
            time = frame.pts * frame.time_base
            if isinstance(frame, av.VideoFrame):
                luma = frame.to_ndarray()[: frame.height]
                times.append(time)
                hashes.append(hash(luma.tobytes()))
                if flash is None and luma.mean() > 150:
                    flash = time
            elif isinstance(frame, av.AudioFrame) and beep is None:
                channels = frame.to_ndarray().reshape(-1, frame.layout.nb_channels).astype(float)
                loud = np.nonzero(np.abs(channels).max(axis=1) > 3000)[0]
                beep = time + Fraction(int(loud[0]), frame.sample_rate) if len(loud) else None
    begin = times[0] if times else Fraction(0)
    return Played(
        [time - begin for time in times],
        hashes,
        None if flash is None else float(flash - begin),
        None if beep is None else float(beep - begin),
    )


def first_packet(stream: Path, segment: str) -> tuple[Fraction, bool]:
    """When the first packet of a CMAF segment is shown, in seconds, and whether it is a keyframe,
    as PyAV reads it; `stream` is the folder."""
    content = (stream / "init.mp4").read_bytes() + (stream / segment).read_bytes()
    with av.open(io.BytesIO(content)) as container:
        packet = next(container.demux())
        assert packet.pts is not None
        assert packet.time_base is not None
        return packet.pts * packet.time_base, packet.is_keyframe
