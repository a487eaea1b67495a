"""An HLS ladder as one job of the farm, beside the same ladder typed as ffmpeg commands.

    python -m benchmarks.ladder        # minutes; --preset, --effort, --source, --clip, --rounds

Twice by hand: each rung by a command of its own, one after another (the first makes the sound,
too); and all rungs by one command that splits the picture. Both have ffmpeg's own choice of
threads, which is all CPUs, and the same encoders, settings and keyframes, and write CMAF segments
and playlists. The farm is one of this machine, started and ended here; its time is from submission
to the published output. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.costs import Cost, measure_job, measure_raw, timeline
from benchmarks.farm import farm, say
from benchmarks.hand_typed import Typed
from benchmarks.sources import SOURCES, Clip, look_at, looped, make_source
from ffrtmp_ray.client import Client
from ffrtmp_ray.media import ffmpeg as programs
from ffrtmp_ray.media import presets
from ffrtmp_ray.media.spec import Effort, JobSpec, Ladder
from ffrtmp_ray.media.spec.rendition import Copying
from ffrtmp_ray.settings import Settings

OVER_SEPARATE, OVER_SPLIT = 0.70, 1.00
"""Goals: the farm's wall time by that of a command for each rung, and of one for all."""
WAYS = ("separate", "split", "job")

Round = dict[str, Cost]
"""By who did it: one of WAYS."""


@dataclass(frozen=True)
class Wanted:
    """What is made of what."""

    preset: str
    ladder: Ladder
    clip: Clip


def main() -> None:
    options = _options()
    ffmpeg = programs.find(Settings().ffmpeg)
    ladder = presets.load(options.preset).ladder
    if ladder.packaging is None:
        options.error(f"the preset {options.preset} makes no segments")
    ladder = with_effort(ladder, options.effort)
    with tempfile.TemporaryDirectory(prefix="ffrtmp-ladder-") as name:
        folder = Path(name).resolve()
        say(f"making a clip of {options.seconds} s")
        path = folder / "clip.mp4"
        if options.clip is None:
            make_source(ffmpeg, path, SOURCES[options.source], options.seconds)
        else:
            looped(ffmpeg, options.clip, path, options.seconds)
        wanted = Wanted(options.preset, ladder, look_at(path))
        say(f"{wanted.clip.described}")
        with farm(folder) as client:
            rounds = [
                one_round(client, ffmpeg, folder / f"round-{turn}", wanted, turn)
                for turn in range(options.rounds)
            ]
    report(wanted, options.seconds, rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure an HLS ladder beside raw ffmpeg.")
    parser.add_argument("--preset", choices=presets.names(), default="hls-h264")
    parser.add_argument(
        "--effort", type=Effort, choices=list(Effort), help="of all rungs, in place of the preset's"
    )
    parser.add_argument("--source", choices=list(SOURCES), default="1080p", help="what to make")
    parser.add_argument("--clip", type=Path, help="a file to repeat to the length, in its place")
    parser.add_argument("--seconds", type=int, default=60, help="of the clip (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="of all three (%(default)s)")
    options = parser.parse_args()
    options.error = parser.error
    return options


def with_effort(ladder: Ladder, effort: Effort | None) -> Ladder:
    """`ladder` with another effort in all its renditions; None leaves them as they are. What the
    source is already is encoded nevertheless: copying is not what is measured."""
    changed: dict[str, object] = {"copying": Copying.NEVER}
    if effort is not None:
        changed["effort"] = effort
    renditions = (each.model_copy(update=changed) for each in ladder.renditions)
    return ladder.model_copy(update={"renditions": tuple(renditions)})


def one_round(client: Client, ffmpeg: str, folder: Path, wanted: Wanted, turn: int) -> Round:
    """All three, each round beginning with another one."""
    outputs = {name: folder / name for name in WAYS}
    for name in ("separate", "split"):
        outputs[name].mkdir(parents=True)
    typed = Typed(ffmpeg, wanted.clip, wanted.ladder)
    job = JobSpec(input=str(wanted.clip.path), output=str(outputs["job"]), ladder=wanted.ladder)
    ways = {
        "separate": lambda: measure_raw(typed.separate(outputs["separate"]), outputs["separate"]),
        "split": lambda: measure_raw([typed.split(outputs["split"])], outputs["split"]),
        "job": lambda: measure_job(client, wanted.clip.path.parent, job),
    }
    order = WAYS[turn % len(WAYS) :] + WAYS[: turn % len(WAYS)]
    costs: Round = {}
    for name in order:
        cost = costs[name] = ways[name]()
        say(f"round {turn}: {name} {cost.wall:.2f} s, {cost.cpu:.2f} s of CPU, {cost.bytes} bytes")
    if (detail := costs["job"].detail) is not None:
        say(timeline(detail))
    return costs


def report(wanted: Wanted, seconds: int, rounds: Sequence[Round]) -> None:
    def ratio(of: str, by: str) -> float:
        ratios = (getattr(each["job"], of) / getattr(each[by], of) for each in rounds)
        return float(statistics.median(ratios))

    separate, split = ratio("wall", "separate"), ratio("wall", "split")
    rungs = [f"{rung.name} {rung.codec} {rung.effort}" for rung in wanted.ladder.renditions]
    say(f"{wanted.preset} ({', '.join(rungs)}), {seconds} s of {wanted.clip.described}:")
    say(f"over separate commands {separate:.3f} (goal {OVER_SEPARATE})")
    say(f"over one that splits {split:.3f} (goal {OVER_SPLIT})")
    result = {
        "preset": wanted.preset,
        "rungs": rungs,
        "source": wanted.clip.described,
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
