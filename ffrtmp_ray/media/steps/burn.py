"""Make subtitles ready to be burned in, and have ffmpeg draw them alike on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.media import fonts
from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.burn import DEMUXERS, file_argv, fonts_config
from ffrtmp_ray.media.encode.subtitles import LATER_MS, text_argv
from ffrtmp_ray.media.encode.work import TextForm, TextWork, VideoWork
from ffrtmp_ray.media.package import cues
from ffrtmp_ray.media.package.burning import burnable, unwritten, without
from ffrtmp_ray.media.plan.payloads import BurnPayload
from ffrtmp_ray.media.steps import burn_bitmaps, burn_styled, burn_text
from ffrtmp_ray.media.steps.step import Step

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
    if work.bitmaps:
        return await burn_bitmaps.make(step, work)
    if work.styled:
        return await burn_styled.make(step, work)
    path = await step.make_folder() / "burned.srt"
    ended = await _extract(step, work, path)
    if ended is not None:
        return ended
    if (large := burn_text.too_large(path)) is not None:
        return large
    ready = await step.in_thread(_make_ready, path, work, step.toolbox.settings.fonts_dir)
    if not ready.shown:
        return burn_text.nothing_shown()
    burned = await step.in_thread(burn_text.burned, step, work, path)
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


async def fonts_environment(step: Step, video: VideoWork) -> dict[str, str]:
    """What ffmpeg needs in its environment to draw what `video` says: the fonts of the farm, and
    those that came with the text, and no others."""
    burned = video.burned
    if burned is None or burned.box is not None:
        return {}
    folder = step.toolbox.workspace.attempt(step.assignment.job_id, step.assignment.attempt_id)
    config = folder / "fonts.conf"
    places = fonts.folders(step.toolbox.settings.fonts_dir)
    if burned.attached is not None:
        places = (*places, str(step.toolbox.workspace.absolute(burned.attached)))
    text = fonts_config(places, str(folder / "fonts-cache"))
    await step.in_thread(config.write_text, text, "utf-8")
    return {"FONTCONFIG_FILE": str(config)}


async def _extract(step: Step, work: BurnPayload, path: Path) -> Failed | Stopped | None:
    ffmpeg, start = step.toolbox.ffmpeg, work.picture_start

    def of_file(file: str) -> list[str]:
        return file_argv(ffmpeg, file, DEMUXERS[Path(file).suffix.lower()], start, output=str(path))

    def of_source(address: str) -> list[str]:
        text = TextWork(
            stream=work.stream or 0,
            form=TextForm.SUBRIP,
            picture_start=start,
            length=work.length,
        )
        return text_argv(ffmpeg, address, text, output=str(path))

    return await burn_text.take_out(step, work, of_file, of_source)


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
