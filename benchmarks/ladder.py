"""A ladder as one job of the farm, beside the same ladder typed as ffmpeg commands.

    python -m benchmarks.ladder        # minutes; --preset, --seconds, --rounds

Twice by hand: each rung by a command of its own, one after another; and all rungs by one command
that splits the picture. Both use all CPUs and the same encoders and settings. The farm is one of
this machine, started and ended here; its time is from submission to the published output. The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from benchmarks.costs import Cost, make_clip, measure_job, measure_raw
from benchmarks.farm import farm, say
from ffrtmp_ray.client import Client
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media import presets
from ffrtmp_ray.media.encode.size import fit
from ffrtmp_ray.media.encoders import AUDIO_ENCODERS, Picture, encoder_for
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.settings import Settings

SIZE, RATE = (1920, 1080), 25
OVER_SEPARATE, OVER_SPLIT = 0.70, 1.00
"""Goals: the farm's wall time by that of a command for each rung, and of one for all."""

Round = dict[str, Cost]
"""By who did it: `job`, `separate`, `split`."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a ladder beside raw ffmpeg.")
    parser.add_argument("--preset", choices=presets.names(), default="ladder-h264")
    parser.add_argument("--seconds", type=int, default=60, help="of the clip (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all three (%(default)s)")
    wanted = parser.parse_args()
    ladder = presets.load(wanted.preset).ladder
    ffmpeg = programs.find(Settings().ffmpeg)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-ladder-") as name:
        folder = Path(name).resolve()
        say(f"making a clip of {wanted.seconds} s, {SIZE[0]}x{SIZE[1]}")
        clip = make_clip(ffmpeg, folder / "clip.mp4", SIZE, RATE, wanted.seconds)
        with farm(folder) as client:
            rounds = [
                one_round(client, ffmpeg, folder / f"round-{turn}", clip, wanted.preset, turn)
                for turn in range(wanted.rounds)
            ]
    report(wanted.preset, ladder, wanted.seconds, rounds)


def one_round(
    client: Client, ffmpeg: str, folder: Path, clip: Path, preset: str, turn: int
) -> Round:
    """All three, each round beginning with another one."""
    ladder = presets.load(preset).ladder
    outputs = {name: folder / name for name in ("job", "separate", "split")}
    for name in ("separate", "split"):
        outputs[name].mkdir(parents=True)
    job = JobSpec(input=str(clip), output=str(outputs["job"]), preset=preset)
    ways = {
        "job": lambda: measure_job(client, clip.parent, job),
        "separate": lambda: measure_raw(
            separate_argvs(ffmpeg, clip, outputs["separate"], ladder), outputs["separate"]
        ),
        "split": lambda: measure_raw(
            [split_argv(ffmpeg, clip, outputs["split"], ladder)], outputs["split"]
        ),
    }
    names = list(ways)
    order = names[turn % len(names) :] + names[: turn % len(names)]
    costs = {name: ways[name]() for name in order}
    for name in names:
        cost = costs[name]
        say(
            f"round {turn}: {name} {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU, {cost.bytes} bytes"
            + f" in {cost.chunks} chunks" * (name == "job")
        )
    return costs


# ------------------------------------------------------------------------------- typed by hand


def separate_argvs(ffmpeg: str, clip: Path, folder: Path, ladder: Ladder) -> list[list[str]]:
    """A command for each rung."""
    argvs = []
    for number, (width, height) in enumerate(_sizes(ladder)):
        opened = [ffmpeg, "-nostdin", "-v", "error", "-i", str(clip)]
        scaled = ["-vf", f"scale={width}:{height}"]
        argvs.append([*opened, *scaled, *_output(folder, ladder, number)])
    return argvs


def split_argv(ffmpeg: str, clip: Path, folder: Path, ladder: Ladder) -> list[str]:
    """One command for all, each rung scaled from the source, with the sound in each file."""
    sizes = _sizes(ladder)
    pads = "".join(f"[in{number}]" for number in range(len(sizes)))
    graph = [f"[0:v]split={len(sizes)}{pads}"]
    graph += [f"[in{n}]scale={width}:{height}[out{n}]" for n, (width, height) in enumerate(sizes)]
    argv = [ffmpeg, "-nostdin", "-v", "error", "-i", str(clip), "-filter_complex", ";".join(graph)]
    for number in range(len(sizes)):
        argv += ["-map", f"[out{number}]", "-map", "0:a", *_output(folder, ladder, number)]
    return argv


def _sizes(ladder: Ladder) -> list[tuple[int, int]]:
    return [fit(*SIZE, None, 0, rendition.height) for rendition in ladder.renditions]


def _output(folder: Path, ladder: Ladder, number: int) -> list[str]:
    rendition, (width, height) = ladder.renditions[number], _sizes(ladder)[number]
    picture = Picture(width, height, 8, Fraction(RATE))
    encoder = encoder_for(rendition.codec, gpu=False)
    sound = ["-an"]
    if ladder.audio is not None:
        name = AUDIO_ENCODERS[ladder.audio.codec].name
        sound = ["-c:a", name, "-b:a", str(ladder.audio.bitrate)]
    return [
        *encoder.arguments(rendition, picture, os.cpu_count() or 1, None),
        *sound,
        *("-movflags", "+faststart", str(folder / f"{rendition.name}.mp4")),
    ]


# ------------------------------------------------------------------------------- what it says


def report(preset: str, ladder: Ladder, seconds: int, rounds: Sequence[Round]) -> None:
    def ratio(of: str, by: str) -> float:
        ratios = (getattr(each["job"], of) / getattr(each[by], of) for each in rounds)
        return float(statistics.median(ratios))

    separate, split = ratio("wall", "separate"), ratio("wall", "split")
    rungs = [f"{rung.name} {rung.codec} {rung.effort}" for rung in ladder.renditions]
    say(f"{preset} ({', '.join(rungs)}), {seconds} s of {SIZE[0]}x{SIZE[1]}, H.264, {RATE} fps:")
    say(f"over separate commands {separate:.3f} (goal {OVER_SEPARATE})")
    say(f"over one that splits {split:.3f} (goal {OVER_SPLIT})")
    result = {
        "preset": preset,
        "rungs": rungs,
        "source": f"h264 {SIZE[0]}x{SIZE[1]} {RATE} fps, moving shapes with grain",
        "clip_seconds": seconds,
        "machine_cpus": os.cpu_count(),
        "load_average_1m": round(os.getloadavg()[0], 2),
        "rounds": len(rounds),
        "chunks": rounds[-1]["job"].chunks,
        "job_over_separate_ratio_median": round(separate, 4),
        "job_over_split_ratio_median": round(split, 4),
        "job_over_separate_cpu_ratio_median": round(ratio("cpu", "separate"), 4),
        "job_over_split_cpu_ratio_median": round(ratio("cpu", "split"), 4),
        "job_over_split_size_ratio_median": round(ratio("bytes", "split"), 4),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
