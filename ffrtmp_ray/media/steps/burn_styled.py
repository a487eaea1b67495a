"""Make ASS ready to be burned in with its own styles and fonts. Part of `burn`."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.assignment import Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.burn import STYLED_LATER, styled_argv, styled_file_argv
from ffrtmp_ray.media.encode.work import TextForm, TextWork
from ffrtmp_ray.media.package.styled import Event, make_room, read_events
from ffrtmp_ray.media.plan.payloads import BurnPayload
from ffrtmp_ray.media.steps import burn_text
from ffrtmp_ray.media.steps.step import Step

_HUNDREDTHS = 100


async def make(step: Step, work: BurnPayload) -> Ended:
    """As `burn.run`. Which letters its fonts have is not looked at: it chooses them itself."""
    folder = await step.make_folder()
    path, events, fonts = folder / "burned.mks", folder / "burned.ass", folder / "fonts"
    await step.in_thread(fonts.mkdir)
    ended = await _extract(step, work, path, events)
    if ended is not None:
        return ended
    if (large := burn_text.too_large(path)) is not None:
        return large
    shown = await step.in_thread(_shown, events, work)
    if not shown:
        return burn_text.nothing_shown()
    attached = sorted(fonts.iterdir())
    burned = await step.in_thread(burn_text.burned, step, work, path, attached)
    styled = {
        "styled": True,
        "makes_room": make_room(shown),
        "attached": step.toolbox.workspace.relative(fonts) if attached else None,
    }
    burned = burned.model_copy(update=styled)
    return Succeeded({"burned": burned.model_dump(mode="json"), "warnings": []})


def _shown(events: Path, work: BurnPayload) -> list[Event]:
    """Those of the events that are seen while the picture is."""
    begin = STYLED_LATER * _HUNDREDTHS
    end = begin + work.length * _HUNDREDTHS
    text = events.read_text(encoding="utf-8", errors="replace")
    return [each for each in read_events(text) if each.start < end and each.end > begin]


async def _extract(
    step: Step, work: BurnPayload, path: Path, events: Path
) -> Failed | Stopped | None:
    """The text as it is, and once more as events that can be read."""
    ffmpeg, start, length = step.toolbox.ffmpeg, work.picture_start, work.length
    made = {"output": str(path), "events": str(events)}

    def of_file(file: str) -> list[str]:
        return styled_file_argv(ffmpeg, file, start, length, **made)

    def of_source(address: str) -> list[str]:
        text = TextWork(
            stream=work.stream or 0,
            form=TextForm.PACKETS,
            fonts=work.fonts,
            picture_start=start,
            length=length,
        )
        return styled_argv(ffmpeg, address, text, **made)

    return await burn_text.take_out(step, work, of_file, of_source)
