"""How far VP9 and AV1 exceed a highest bitrate by one encode, and what it takes to keep it.

    python -m benchmarks.caps

Hard clips that are made here, encoded as a farm encodes a whole file and each of two chunks. The
last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.bucket import bound_for, highest, share_kept
from ffrtmp_ray.media.encode.tighten import Try, tightened
from ffrtmp_ray.media.encoders import Encoder, Picture, encoder_for
from ffrtmp_ray.media.spec import Codec, Effort, Rendition
from ffrtmp_ray.settings import Settings

FFMPEG = programs.find(Settings().ffmpeg)
RATE = 150_000
"""Bits per second that are to be kept."""
CRF = 20
SECONDS = 12
_SIZE = "160x90:r=25"
CLIPS: Mapping[str, str] = {
    "noise_after_black": f"color=black:s={_SIZE},noise=alls=90:allf=t:enable='between(t,4,7)'",
    "noise": f"nullsrc=s={_SIZE},geq=random(1)*255:128:128",
    "noise_at_borders": f"testsrc2=s={_SIZE},noise=alls=60:allf=t:enable='gt(mod(t,6),4)'",
    "fades": f"testsrc2=s={_SIZE},noise=alls=30:allf=t,fade=in:0:75,fade=out:225:75",
}

Pictures = list[tuple[Fraction, int]]
"""When each is decoded, in seconds, and its bits."""


@dataclass(frozen=True)
class Part:
    """Of a clip, as a chunk is."""

    clip: Path
    start: Fraction
    length: Fraction | None
    """None: all of it, in one piece."""


def encoded(part: Part, encoder: Encoder, tries: list[Try], asked: tuple[float, int]) -> Pictures:
    """One encode of it, by that crf and bitrate."""
    crf, rate = asked
    rendition = Rendition(name="a", codec=encoder.codec, crf=crf, effort=Effort.FAST)
    capped = rendition.model_copy(update={"max_bitrate": rate})
    picture = Picture(160, 90, 8, Fraction(25))
    options = encoder.arguments(capped, picture, 2, None, part.length, again=bool(tries))
    made = part.clip.with_name("made.mp4")
    cut = () if part.length is None else ("-ss", str(part.start), "-t", str(float(part.length)))
    argv = [FFMPEG, "-nostdin", "-y", "-v", "error", *cut, "-i", str(part.clip)]
    subprocess.run([*argv, *options, str(made)], check=True, stderr=subprocess.DEVNULL)
    with av.open(str(made)) as container:
        stream = container.streams.video[0]
        tick = stream.time_base or Fraction(1)
        return [(p.dts * tick, p.size * 8) for p in container.demux(stream) if p.dts is not None]


def kept(part: Part, encoder: Encoder) -> tuple[Pictures, Pictures, int]:
    """What the first encode and the last one made of it, and how many there were."""
    asked: tuple[float, int] | None = (CRF, RATE)
    tries: list[Try] = []
    encodes: list[Pictures] = []
    while asked is not None:
        encodes.append(encoded(part, encoder, tries, asked))
        share = share_kept(encodes[-1], bound_for(RATE, part.length))
        tries.append(Try(*asked, share))
        asked = tightened(tries, encoder.max_crf)
    return encodes[0], encodes[-1], len(encodes)


def make_clip(path: Path, graph: str) -> None:
    argv = [FFMPEG, "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", graph]
    encoder = ("-c:v", "libx264", "-qp", "4", "-preset", "ultrafast", "-g", "25")
    subprocess.run([*argv, "-t", str(SECONDS), *encoder, str(path)], check=True)


def joined(parts: Sequence[Part], made: Sequence[Pictures]) -> Pictures:
    """As `finish` joins chunks."""
    return [
        (time - pictures[0][0] + part.start, bits)
        for part, pictures in zip(parts, made, strict=True)
        for time, bits in pictures
    ]


def row(codec: Codec, clip: Path, chunks: int) -> dict[str, object]:
    length = Fraction(SECONDS, chunks)
    each = None if chunks == 1 else length
    parts = [Part(clip, number * length, each) for number in range(chunks)]
    made = [kept(part, encoder_for(codec, gpu=False)) for part in parts]
    once = joined(parts, [first for first, _, _ in made])
    last = joined(parts, [last for _, last, _ in made])
    return {
        "codec": codec.value,
        "clip": clip.stem,
        "chunks": chunks,
        "buffered_by_one_encode_seconds": round(float(highest(once, RATE) / RATE), 2),
        "buffered_seconds": round(float(highest(last, RATE) / RATE), 2),
        "encodes": [encodes for _, _, encodes in made],
        "of_the_rate_percent": round(sum(bits for _, bits in last) * 100 / RATE / SECONDS),
    }


def main() -> None:
    argparse.ArgumentParser(description="Keep a highest bitrate with VP9 and AV1.").parse_args()
    found = []
    with tempfile.TemporaryDirectory(prefix="ffrtmp-caps-") as folder:
        for name, graph in CLIPS.items():
            clip = Path(folder).resolve() / f"{name}.mkv"
            make_clip(clip, graph)
            for codec in (Codec.VP9, Codec.AV1):
                for chunks in (1, 2):
                    found.append(row(codec, clip, chunks))
                    print(*found[-1].values(), flush=True)
    print(json.dumps({"rate_bits_per_second": RATE, "clips": found}))


if __name__ == "__main__":
    main()
