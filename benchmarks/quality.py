"""What cutting a picture into chunks costs in quality and in size: the same file encoded cut, and
in one piece.

    python -m benchmarks.quality --codec av1        # minutes; --clip, --seconds, --chunk-seconds

Both are jobs of a farm of this machine, which is started and ended here. VMAF of each frame is then
measured with a plain ffmpeg command. Chunks are as short as the product makes them by itself, so
that there are as many borders as there can be. The worst second is looked for everywhere, not at
borders alone. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import fmean

from benchmarks.farm import farm, say
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media.spec import Codec, JobSpec, Ladder, Measure, Rendition
from ffrtmp_ray.settings import Settings

CRF = {Codec.H264: 23, Codec.HEVC: 26, Codec.AV1: 35}
WIDTH, HEIGHT, RATE = 640, 360, 25
LARGEST_FALL, LARGEST_FALL_IN_A_SECOND, LARGEST_GROWTH = 0.3, 2.0, 0.02
"""Goals: VMAF of all frames, VMAF of the worst second, and size."""
FEWEST_CHUNKS = 4
"""With fewer, the clip is too short to say anything."""
FROM_REPORT = 0.01
"""How far the mean that the job reports may be from the one that is measured here."""


@dataclass(frozen=True)
class Encoded:
    chunks: int
    bytes: int
    reported: float
    """The mean VMAF by the job's own measuring, which is done in chunks."""
    vmaf: list[float]
    """Of each frame."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure what chunks cost in quality and size.")
    parser.add_argument("--codec", type=Codec, choices=list(CRF), default=Codec.H264)
    parser.add_argument("--clip", type=Path, help="a file of your own (default: one is generated)")
    parser.add_argument("--seconds", type=int, default=80, help="of the clip (%(default)s)")
    parser.add_argument(
        "--chunk-seconds", type=float, default=1, help="at most, where the product makes such"
    )
    wanted = parser.parse_args()
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-quality-") as name:
        folder = Path(name).resolve()
        say(f"making a clip of {wanted.seconds} s, {WIDTH}x{HEIGHT}")
        clip = make_clip(ffmpeg, folder / "clip.mp4", wanted.seconds, wanted.clip)
        with farm(folder, FFRTMP_CHUNK_SECONDS=str(wanted.chunk_seconds)) as client:
            whole = encode(client, ffmpeg, clip, folder / "whole.mp4", wanted.codec, 1)
            cut = encode(client, ffmpeg, clip, folder / "cut.mp4", wanted.codec, None)
    report(wanted.codec, wanted.seconds, whole, cut)


def encode(
    client: Client, ffmpeg: str, clip: Path, output: Path, codec: Codec, chunks: int | None
) -> Encoded:
    ladder = Ladder(renditions=(Rendition(name="a", codec=codec, crf=CRF[codec]),), audio=None)
    spec = JobSpec(
        input=str(clip), output=str(output), ladder=ladder, chunks=chunks, quality=(Measure.VMAF,)
    )
    job = client.wait(client.submit(spec).id)
    if job.state is not JobState.COMPLETED:
        sys.exit(f"the job {job.state}: {job.failure and job.failure.reason}")
    made = sum(task.kind == "encode" for task in job.tasks)
    if not (made >= FEWEST_CHUNKS if chunks is None else made == chunks):
        sys.exit(f"{made} chunks were made: {' '.join(job.warnings)}")
    vmaf = vmaf_of(ffmpeg, output, clip, output.with_suffix(".csv"))
    say(f"{made} chunks: VMAF {fmean(vmaf):.3f}, {output.stat().st_size} bytes")
    return Encoded(made, output.stat().st_size, job.quality[0].mean, vmaf)


def vmaf_of(ffmpeg: str, made: Path, source: Path, log: Path) -> list[float]:
    """As anybody would measure it who knows nothing of chunks."""
    paired = f"settb=1/{RATE},setpts=N"
    graph = f"[0:v]{paired}[made];[1:v]{paired}[source];"
    graph += f"[made][source]libvmaf=log_fmt=csv:log_path={log}"
    argv = [ffmpeg, "-nostdin", "-v", "error", "-i", str(made), "-i", str(source)]
    subprocess.run([*argv, "-lavfi", graph, "-f", "null", "-"], check=True)
    with log.open(encoding="utf-8") as lines:
        return [float(row["vmaf"]) for row in csv.DictReader(lines)]


def seconds_of(vmaf: list[float]) -> list[float]:
    """The mean of each second, beginning at every frame."""
    sums = [0.0, *accumulate(vmaf)]
    return [(end - start) / RATE for start, end in zip(sums, sums[RATE:], strict=False)]


def make_clip(ffmpeg: str, path: Path, seconds: int, source: Path | None) -> Path:
    """Shapes that move over grain, and a fractal that is zoomed into, in turns of 20 seconds; or
    so much of a file, over and over."""
    if source is not None:
        given = ["-stream_loop", "-1", "-i", str(source)]
        chain = f"fps={RATE},scale={WIDTH}:{HEIGHT},setsar=1"
    else:
        size = f"size={WIDTH}x{HEIGHT}:rate={RATE}"
        given = ["-f", "lavfi", "-i", f"testsrc2={size},noise=alls=6:allf=t:all_seed=1"]
        given += ["-f", "lavfi", "-i", f"mandelbrot={size}"]
        chain = "[0:v][1:v]blend=all_expr='if(mod(floor(T/20),2),B,A)'"
    argv = [ffmpeg, "-nostdin", "-v", "error", *given, "-filter_complex", chain, "-t", str(seconds)]
    argv += ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "12", "-g", "50"]
    subprocess.run([*argv, "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def report(codec: Codec, seconds: int, whole: Encoded, cut: Encoded) -> None:
    fall = fmean(whole.vmaf) - fmean(cut.vmaf)
    pairs = zip(seconds_of(whole.vmaf), seconds_of(cut.vmaf), strict=True)
    worst = max(one - other for one, other in pairs)
    growth = cut.bytes / whole.bytes - 1
    apart = max(abs(each.reported - fmean(each.vmaf)) for each in (whole, cut))
    say(
        f"{codec}, cut: VMAF {-fall:+.3f} (goal: -{LARGEST_FALL} at most), "
        f"in the worst second {-worst:+.3f} (-{LARGEST_FALL_IN_A_SECOND}), "
        f"size {growth:+.2%} ({LARGEST_GROWTH:.0%})"
    )
    result = {
        "codec": codec.value,
        "clip_seconds": seconds,
        "chunks": cut.chunks,
        "vmaf_whole": round(fmean(whole.vmaf), 3),
        "vmaf_cut": round(fmean(cut.vmaf), 3),
        "vmaf_fall": round(fall, 3),
        "vmaf_fall_in_worst_second": round(worst, 3),
        "size_growth": round(growth, 4),
        "reported_vmaf_apart": round(apart, 4),
        "as_good_as_promised": fall <= LARGEST_FALL
        and worst <= LARGEST_FALL_IN_A_SECOND
        and abs(growth) <= LARGEST_GROWTH
        and apart <= FROM_REPORT,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
