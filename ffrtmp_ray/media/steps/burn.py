"""Make subtitles ready to be burned in, and have ffmpeg draw them alike on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.media import fonts
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.burn import DEMUXERS, file_argv, fonts_config
from ffrtmp_ray.media.encode.subtitles import LATER_MS, text_argv
from ffrtmp_ray.media.encode.work import Burned, TextForm, TextWork, VideoWork
from ffrtmp_ray.media.package import cues
from ffrtmp_ray.media.package.burning import burnable, unwritten, without
from ffrtmp_ray.media.plan.payloads import BurnPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.places import MOST_SIDE_BYTES, check_side_file

WHERE = "burn.file"
_MOST_SAID = 10
"""Characters that a message names."""


@dataclass(frozen=True, slots=True)
class _Ready:
    shown: bool
    """Whether there is anything to be shown."""
    warnings: list[str]


async def run(step: Step) -> Ended:
    """The result's `burned` is None where nothing is shown while the picture is. Text that cannot
    be read fails the job: who wants it in the picture does not want the picture without it."""
    work = BurnPayload.model_validate(step.assignment.payload)
    path = await step.make_folder() / "burned.srt"
    ended = await _extract(step, work, path)
    if ended is not None:
        return ended
    if path.stat().st_size > MOST_SIDE_BYTES:
        reason = f"the subtitles have more than {MOST_SIDE_BYTES} bytes of text"
        return Failed(Failure(FailureKind.OVER_LIMIT, reason))
    ready = await step.in_thread(_make_ready, path, work, step.toolbox.settings.fonts_dir)
    if not ready.shown:
        said = "no subtitles are burned in: none are shown while the picture is"
        return Succeeded({"burned": None, "warnings": [said]})
    burned = Burned(
        path=step.toolbox.workspace.relative(path),
        sha256=await step.in_thread(_fingerprint, path, step.toolbox.settings.fonts_dir),
        width=work.width,
        height=work.height,
        aspect=work.aspect,
        stream=work.stream,
    )
    return Succeeded({"burned": burned.model_dump(mode="json"), "warnings": ready.warnings})


def local(step: Step, video: VideoWork) -> VideoWork:
    """`video` with the places of its subtitles, and of the fonts, on this machine."""
    burned = video.burned
    if burned is None:
        return video
    places = {
        "path": str(step.toolbox.workspace.absolute(burned.path)),
        "fonts": str(fonts.OWN),
    }
    return video.model_copy(update={"burned": burned.model_copy(update=places)})


async def with_fonts(step: Step, video: VideoWork, argv: Sequence[str]) -> list[str]:
    """A command line that draws what `video` says, with the fonts of the farm and no others."""
    if video.burned is None:
        return list(argv)
    folder = step.toolbox.workspace.attempt(step.assignment.job_id, step.assignment.attempt_id)
    config = folder / "fonts.conf"
    places = fonts.folders(step.toolbox.settings.fonts_dir)
    text = fonts_config(places, str(folder / "fonts-cache"))
    await step.in_thread(config.write_text, text, "utf-8")
    return ["env", f"FONTCONFIG_FILE={config}", *argv]


async def _extract(step: Step, work: BurnPayload, path: Path) -> Failed | Stopped | None:
    length = max(float(work.length), 0.001)

    def fraction(progress: ProcessProgress) -> float:
        return (progress.out_time_seconds or 0.0) / length

    if work.file is not None:
        file = await step.in_thread(check_side_file, work.file, step.toolbox.settings, WHERE)
        await step.in_thread(_check_text, file)
        demuxer = DEMUXERS[Path(work.file).suffix.lower()]
        argv = file_argv(
            step.toolbox.ffmpeg, str(file), demuxer, work.picture_start, output=str(path)
        )
        return await step.ffmpeg(argv, fraction)
    text = TextWork(
        stream=work.stream or 0,
        form=TextForm.SUBRIP,
        picture_start=work.picture_start,
        length=work.length,
    )
    async with step.open_input(work.input) as source:
        argv = text_argv(step.toolbox.ffmpeg, source.address, text, output=str(path))
        return await step.ffmpeg(argv, fraction)


def _check_text(path: Path) -> None:
    """ffmpeg leaves out, one by one, cues that it cannot read."""
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        raise InputRefused(
            f"{path.name} is not UTF-8", where=WHERE, remedy="save it in that encoding"
        ) from None


def _make_ready(path: Path, work: BurnPayload, extra: Path | None) -> _Ready:
    """Write the text anew as it is burned in. Raises InputRefused when no font has its letters."""
    text = path.read_text(encoding="utf-8", errors="replace")
    shown = cues.retimed(cues.read(text), LATER_MS, int(work.length * 1000))
    ready = burnable(shown, colored=work.colored)
    letters, signs = unwritten(ready, fonts.characters(extra))
    if letters:
        raise InputRefused(
            f"no font of the farm has {_some(letters)}",
            where="burn",
            remedy="set FFRTMP_FONTS_DIR to a folder of fonts that have them, on all nodes",
        )
    ready = without(ready, signs)
    path.write_text(cues.write(ready, TextForm.SUBRIP), encoding="utf-8")
    said = [f"left out of what is burned in, for no font has it: {_some(signs)}"] if signs else []
    return _Ready(bool(ready), said)


def _some(characters: str) -> str:
    shown = ", ".join(characters[:_MOST_SAID])
    return f"{shown} …" if len(characters) > _MOST_SAID else shown


def _fingerprint(path: Path, extra: Path | None) -> str:
    text = hashlib.sha256(path.read_bytes()).hexdigest()
    return hashlib.sha256(f"{text} {fonts.fingerprint(extra)}".encode()).hexdigest()
