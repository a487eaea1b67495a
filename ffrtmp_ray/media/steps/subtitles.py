"""Take subtitles out of the source, as text or as they are, timed as the output's picture is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.subtitles import LATER_MS, packets_argv, text_argv, whole_argv
from ffrtmp_ray.media.encode.work import TextForm, TextWork
from ffrtmp_ray.media.package import cues
from ffrtmp_ray.media.plan.payloads import Beside, SubtitlesPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step

_NOT_READ = (FailureKind.BAD_INPUT, FailureKind.UNSUPPORTED)
"""Failures that are the subtitles' own: a film is not lost for them."""


async def run(step: Step) -> Ended:
    """The result's `path` is None where there is nothing to be shown; `beside` is the file that is
    to lie beside the outputs, where it is to."""
    work = SubtitlesPayload.model_validate(step.assignment.payload)
    kept = work.text.form is TextForm.PACKETS
    path = await step.make_folder() / f"subtitles.{work.text.form}"

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(work.text.length)

    make = _command_of(work.text)
    made = path.with_name("whole.mkv") if work.text.bitmaps else path
    async with step.open_input(work.input) as source:
        argv = make(step.toolbox.ffmpeg, source.address, work.text, output=str(made))
        ended = await step.ffmpeg(argv, fraction)
    if ended is None and work.text.bitmaps:
        ended = await _cut(step, work.text, made, path)
    if isinstance(ended, Failed) and ended.failure.kind in _NOT_READ:
        said = f"subtitles are left out (stream {work.text.stream}): {ended.failure.reason}"
        return Succeeded({"path": None, "beside": [], "warnings": [said]})
    if ended is not None:
        return ended
    if kept:
        return await _kept(step, work.text, path)
    if not await step.in_thread(_retime, path, work.text):
        said = f"subtitles without any text are left out (stream {work.text.stream})"
        return Succeeded({"path": None, "beside": [], "warnings": [said]})
    relative = step.toolbox.workspace.relative(path)
    beside = [] if work.file is None else [_beside(work.file, relative)]
    return Succeeded({"path": relative, "beside": beside})


def _command_of(work: TextWork) -> Callable[..., list[str]]:
    if work.form is not TextForm.PACKETS:
        return text_argv
    return whole_argv if work.bitmaps else packets_argv


async def _cut(step: Step, work: TextWork, whole: Path, path: Path) -> Failed | Stopped | None:
    """Take what belongs to the picture out of a whole track. What is on when the picture begins may
    be said by packets long before: they are looked for there, not in the source once more."""
    later = work.picture_start + LATER_MS // 1000
    found = await step.toolbox.prober.first_of_bitmaps(whole, later)
    if isinstance(found, Failure):
        return Failed(found)
    part = work.model_copy(update={"stream": 0, "picture_start": later})
    argv = packets_argv(step.toolbox.ffmpeg, str(whole), part, output=str(path), first=found.time)
    ended = await step.ffmpeg(argv, lambda _: step.progress.fraction)
    await step.in_thread(whole.unlink)
    return ended


def _beside(name: str, path: str) -> dict[str, object]:
    language = name.split(".")[1]
    made = Beside(path=path, name=name, what=f"webvtt {language}", kind="subtitles")
    return made.model_dump(mode="json")


async def _kept(step: Step, work: TextWork, path: Path) -> Ended:
    found = await step.toolbox.prober.first_packet(path)
    if isinstance(found, Failure):
        return Failed(found)
    if found.start is None:
        said = f"subtitles that show nothing are left out (stream {work.stream})"
        return Succeeded({"path": None, "beside": [], "warnings": [said]})
    relative = step.toolbox.workspace.relative
    fonts = [(relative(path.parent / each.name), each.media_type) for each in work.fonts]
    return Succeeded({"path": relative(path), "start": str(found.start), "fonts": fonts})


def _retime(path: Path, work: TextWork) -> bool:
    """Whether anything is left to be shown."""
    text = path.read_text(encoding="utf-8", errors="replace")
    shown = cues.retimed(cues.read(text), LATER_MS, int(work.length * 1000))
    path.write_text(cues.write(shown, work.form), encoding="utf-8")
    return bool(shown)
