"""`ffrtmp submit`: has a job accepted, and follows it to its end if asked to."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from ffrtmp_ray.cli import formats, render, terminal
from ffrtmp_ray.cli.follow import follow
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, Labels, labels
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState, Priority, Queue
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.spec import Copying, GpuUse, Measure, Tracks, Verify
from ffrtmp_ray.media.spec.images import ImageFormat
from ffrtmp_ray.views import JobDetail

_TIME_HELP = "As 2030-01-31T18:00, of this machine's zone unless it names another."

Input: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="INPUT", help="The file to transcode: a path or a URL.", show_default=False
    ),
]
Output: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="OUTPUT",
        help="The file to make (.mp4, .mkv, .webm, or .mp3 … of sound alone), or the folder for "
        "several renditions or HLS.",
        show_default=False,
    ),
]
PresetName: TypeAlias = Annotated[
    str | None, typer.Option(help="A ladder by its name; GET /presets lists them.")
]
LadderFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(exists=True, dir_okay=False, help="A ladder of your own, in TOML or JSON."),
]
QueueName: TypeAlias = Annotated[
    Queue | None,
    typer.Option(help="Live goes before default, default before batch.", show_default="default"),
]
PriorityName: TypeAlias = Annotated[
    Priority | None, typer.Option(help="Within the queue.", show_default="medium")
]
Gpu: TypeAlias = Annotated[
    GpuUse | None,
    typer.Option(help="Prefer: a GPU if one is free, else CPUs.", show_default="never"),
]
Chunks: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Into how many chunks the picture is cut, encoded at the same time.",
        show_default="as many as keep the farm busy",
    ),
]
Start: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TIME", help="Take the source from here on: seconds, or 1:02:03.5."),
]
Duration: TypeAlias = Annotated[
    str | None, typer.Option(metavar="TIME", help="Take so much of it.", show_default="to the end")
]
Tags: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--tag",
        metavar="NAME=VALUE",
        help="Say it of the output, as title=…; nothing behind the = removes it. May be given "
        "several times.",
    ),
]
WatermarkImage: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="An image to lay over the picture, at the bottom right."),
]
ImageKind: TypeAlias = Annotated[
    ImageFormat | None,
    typer.Option("--images", help="Of what kind images are.", show_default="jpeg"),
]
HasPoster: TypeAlias = Annotated[
    bool, typer.Option("--poster", help="Make a still image of it, too; OUTPUT is a folder then.")
]
ThumbnailsEvery: TypeAlias = Annotated[
    str | None, typer.Option("--thumbnails", metavar="TIME", help="And one every so many seconds.")
]
SpriteEvery: TypeAlias = Annotated[
    str | None,
    typer.Option("--sprite", metavar="TIME", help="And small ones on sheets, with WebVTT."),
]
Quality: TypeAlias = Annotated[
    list[Measure] | None,
    typer.Option(
        help="Compare every rendition with the source by this. May be given several times.",
        show_default="none",
    ),
]
VerifyWhat: TypeAlias = Annotated[
    Verify | None,
    typer.Option(
        help="How much is decoded before it is published: samples, or all.",
        show_default="sampled",
    ),
]
Sounds: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="WHICH",
        help="The sounds to take: first, all, or languages, as eng,fra.",
        show_default="the ladder's",
    ),
]
LoudnessTarget: TypeAlias = Annotated[
    float | None,
    typer.Option(
        "--loudness",
        metavar="LUFS",
        help="How loud to make each sound: -23 for television, about -16 for streaming.",
        show_default="the ladder's",
    ),
]
SoundCopying: TypeAlias = Annotated[
    Copying | None,
    typer.Option(
        help="Whether the source's sounds are taken as they are.", show_default="the ladder's"
    ),
]
SubtitlesKept: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--subtitles",
        metavar="WHICH",
        help="The subtitles to keep: first, all, or languages.",
        show_default="the ladder's",
    ),
]
WebVtt: TypeAlias = Annotated[
    bool, typer.Option("--webvtt", help="Put them beside it as WebVTT; OUTPUT is a folder then.")
]
BurnWhat: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--burn",
        metavar="WHICH",
        help="Draw subtitles on the picture: the source's by number or language, or a file.",
    ),
]
Urgent: TypeAlias = Annotated[
    bool, typer.Option("--urgent", help="It may take the place of preemptible tasks.")
]
Preemptible: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--preemptible/--not-preemptible",
        help="Whether it may give way to live and urgent jobs.",
        show_default="preemptible",
    ),
]
Owner: TypeAlias = Annotated[
    str | None, typer.Option(help="Whose it is, to filter by.", show_default="default")
]
MaxAttempts: TypeAlias = Annotated[
    int | None, typer.Option(help="Failed attempts per task.", show_default="3")
]
Timeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="From the first start of a task to the end of the job.",
        show_default="none",
    ),
]
TaskTimeout: TypeAlias = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS", help="Of one attempt at one task.", show_default="the farm's own"
    ),
]
NotBefore: TypeAlias = Annotated[
    str | None,
    typer.Option(metavar="TIME", help=f"It starts no earlier. {_TIME_HELP}", show_default="none"),
]
Deadline: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help=f"When it should be done; shown if missed. {_TIME_HELP}",
        show_default="none",
    ),
]
DependsOn: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(metavar="ID", help="A job to complete first. May be given several times."),
]
Wait: TypeAlias = Annotated[
    bool, typer.Option("--wait", help="Follow the job to its end; exit code 1 if it fails.")
]


def submit(
    input: Input,  # noqa: A002 - the word of the API
    output: Output,
    preset: PresetName = None,
    ladder: LadderFile = None,
    queue: QueueName = None,
    priority: PriorityName = None,
    gpu: Gpu = None,
    chunks: Chunks = None,
    verify: VerifyWhat = None,
    start: Start = None,
    duration: Duration = None,
    tag: Tags = None,
    watermark: WatermarkImage = None,
    sounds: Sounds = None,
    loudness: LoudnessTarget = None,
    sound_copying: SoundCopying = None,
    subtitles: SubtitlesKept = None,
    webvtt: WebVtt = False,
    burn: BurnWhat = None,
    images: ImageKind = None,
    poster: HasPoster = False,
    thumbnails: ThumbnailsEvery = None,
    sprite: SpriteEvery = None,
    quality: Quality = None,
    urgent: Urgent = False,
    preemptible: Preemptible = None,
    owner: Owner = None,
    label: Labels = None,
    max_attempts: MaxAttempts = None,
    timeout: Timeout = None,
    task_timeout: TaskTimeout = None,
    not_before: NotBefore = None,
    deadline: Deadline = None,
    depends_on: DependsOn = None,
    wait: Wait = False,
    address: Address = ADDRESS,
    as_json: AsJson = False,
) -> None:
    """Submit a job: transcode INPUT to OUTPUT by a preset or a ladder.

    Paths are the farm's machines'; relative ones are taken from the present folder.
    """
    if (preset is None) == (ladder is None):
        raise typer.BadParameter("give either --preset or --ladder, one of the two")
    wishes = {
        "input": _absolute(input),
        "output": _absolute(output),
        "preset": preset,
        "ladder": None if ladder is None else _ladder(ladder),
        "queue": queue,
        "priority": priority,
        "gpu": gpu,
        "chunks": chunks,
        "verify": verify,
        "trim": _without_none({"start": start, "duration": duration}) or None,
        "metadata": {"set": labels(tag)} if tag else None,
        "watermark": None if watermark is None else {"image": _absolute(watermark)},
        "sounds": _tracks(sounds),
        "loudness": loudness,
        "sound_copying": sound_copying,
        "subtitles": _tracks(subtitles),
        "webvtt": webvtt or None,
        "burn": _burn(burn),
        "images": _images(images, poster, thumbnails, sprite),
        "quality": quality,
        "urgent": urgent,
        "preemptible": preemptible,
        "owner": owner,
        "labels": labels(label or []) or None,
        "max_attempts": max_attempts,
        "timeout_seconds": timeout,
        "task_timeout_seconds": task_timeout,
        "not_before": _moment("--not-before", not_before),
        "deadline": _moment("--deadline", deadline),
        "depends_on": depends_on,
    }
    # What was not given is left to the farm, whose defaults are those of its own version.
    spec = _without_none(wishes)
    with Client(address) as farm:
        job = farm.submit(spec)
        if wait:
            job = _wait(farm, job)
    _say(job, wait, as_json)


def _tracks(which: str | None) -> str | list[str] | None:
    """As the API has it: a word, or a list of languages."""
    if which is None or which in [each.value for each in Tracks]:
        return which
    return [each.strip() for each in which.split(",")]


def _burn(which: str | None) -> dict[str, Any] | None:
    """As the API has it: a number, a language of three letters, or what else is a file."""
    if which is None:
        return None
    if which.isdecimal():
        return {"track": int(which)}
    if re.fullmatch("[a-z]{3}", which):
        return {"language": which}
    return {"file": _absolute(which)}


def _images(
    kind: ImageFormat | None, poster: bool, thumbnails: str | None, sprite: str | None
) -> dict[str, Any] | None:
    wishes = {
        "format": kind,
        "poster": {} if poster else None,
        "thumbnails": None if thumbnails is None else {"every": thumbnails},
        "sprite": None if sprite is None else {"every": sprite},
    }
    return _without_none(wishes) or None


def _without_none(wishes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: wish for name, wish in wishes.items() if wish is not None}


def _wait(farm: Client, job: JobDetail) -> JobDetail:
    try:
        return follow(farm, job)
    except KeyboardInterrupt:
        terminal.stderr().print(f"The job goes on: ffrtmp watch {job.id}")
        raise


def _say(job: JobDetail, waited: bool, as_json: bool) -> None:
    if as_json:
        terminal.print_json(job)
    elif waited and job.state is JobState.COMPLETED:
        terminal.stdout().print(render.results(job))
    else:
        typer.echo(f"{job.id} {job.state}")
    if not waited:
        return
    if job.state is not JobState.COMPLETED:
        why = f": {job.failure.reason}" if job.failure else ""
        typer.echo(f"error: job {job.id} is {job.state}{why}", err=True)
        raise typer.Exit(1)
    if job.finished_at is not None:
        took = formats.duration(job.finished_at - job.submitted_at)
        terminal.stderr().print(f"job {job.id} took {took}")


def _absolute(path: str) -> str:
    """Of a path; what has a scheme is left to the farm to take or refuse."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", path):
        return path
    return str(Path(path).absolute())


def _moment(option: str, text: str | None) -> str | None:
    """A time with its zone, as the farm takes it."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError as error:
        raise typer.BadParameter(f"{option} {text}: should be as 2030-01-31T18:00") from error


def _ladder(path: Path) -> Any:
    """The file's content; whether it is a ladder, the farm says. Raises InvalidRequest."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as error:  # both decoders' errors, and UTF-8's, are ValueErrors
        raise InvalidRequest(
            f"cannot be read as {'JSON' if path.suffix == '.json' else 'TOML'}: {error}",
            where=str(path),
            remedy="name a file .toml or .json that has `renditions`; GET /presets shows some",
        ) from error
