"""What text that is burned in has in common, plain or styled. Part of `burn`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.media import fonts
from ffrtmp_ray.media.assignment import Failed, Stopped, Succeeded
from ffrtmp_ray.media.encode.work import Burned
from ffrtmp_ray.media.plan.payloads import BurnPayload
from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.storage.places import MOST_SIDE_BYTES, check_side_file

_WHERE = "burn.file"


def _checked_file(step: Step, place: str) -> Path:
    """The file of subtitles at a place. Raises InputRefused when it may not be read, or is in an
    encoding of which ffmpeg would leave out, one by one, cues that it cannot read."""
    path = check_side_file(place, step.toolbox.settings, _WHERE)
    data = path.read_bytes()
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        raise InputRefused(
            f"{path.name} is not UTF-8", where=_WHERE, remedy="save it in that encoding"
        ) from None
    return path


async def take_out(
    step: Step,
    work: BurnPayload,
    of_file: Callable[[str], list[str]],
    of_source: Callable[[str], list[str]],
) -> Failed | Stopped | None:
    """Have ffmpeg take out the text: the command lines for a file, at that path, and for a track of
    the source at that address. Raises InputRefused when the file may not be read."""

    def fraction(progress: ProcessProgress) -> float:
        return progress.part_of(work.length)

    if work.file is not None:
        path = await step.in_thread(_checked_file, step, work.file)
        return await step.ffmpeg(of_file(str(path)), fraction)
    async with step.open_input(work.input) as source:
        return await step.ffmpeg(of_source(source.address), fraction)


def too_large(path: Path) -> Failed | None:
    if path.stat().st_size <= MOST_SIDE_BYTES:
        return None
    reason = f"the subtitles have more than {MOST_SIDE_BYTES} bytes of text"
    return Failed(Failure(FailureKind.OVER_LIMIT, reason))


def nothing_shown() -> Succeeded:
    said = "no subtitles are burned in: none are shown while the picture is"
    return Succeeded({"burned": None, "warnings": [said]})


def burned(step: Step, work: BurnPayload, path: Path, attached: Sequence[Path] = ()) -> Burned:
    """What encodes are told of the text at `path`, made ready; reads all fonts, with those that
    came with it."""
    content = b"".join(each.read_bytes() for each in (path, *attached))
    text = hashlib.sha256(content).hexdigest()
    known = f"{text} {fonts.fingerprint(step.toolbox.settings.fonts_dir)}"
    return Burned(
        path=step.toolbox.workspace.relative(path),
        sha256=hashlib.sha256(known.encode()).hexdigest(),
        width=work.width,
        height=work.height,
        aspect=work.aspect,
        stream=work.stream,
    )
