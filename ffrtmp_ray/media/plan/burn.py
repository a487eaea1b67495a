"""Subtitles that are to be burned in: which they are, and the tasks that make them ready. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ffrtmp_ray.core.model import Document, NewTask
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import Burned
from ffrtmp_ray.media.plan.admit import plan_task
from ffrtmp_ray.media.plan.needs import LIGHT
from ffrtmp_ray.media.plan.payloads import BurnPayload, InputFile, PlanPayload
from ffrtmp_ray.media.plan.tracks import choose_tracks, language_of
from ffrtmp_ray.media.probe.source import BitmapStream, Source, TextStream, VideoStream
from ffrtmp_ray.media.spec.burn import STYLED_SUFFIXES, Burn
from ffrtmp_ray.media.timing import timescale

BURN_NAME = "burn"
_FORCED = frozenset({"hdmv_pgs_subtitle", "dvd_subtitle"})
"""Codecs, by ffmpeg's names, that mark cues as forced."""


def with_burned(work: PlanPayload, results: Iterable[Document]) -> PlanPayload:
    """`work` with the text that a task among `results` has made ready; where nothing of it is
    shown, without any."""
    for result in results:
        if "burned" in result:
            found = result["burned"]
            if found is None:
                return work.model_copy(update={"burn": None})
            return work.model_copy(update={"burned": Burned.model_validate(found)})
    return work


def burn_tasks(
    work: PlanPayload, source: Source, part: VideoStream, file: InputFile
) -> tuple[NewTask, ...]:
    """The one that makes the text ready, and the plan that waits for it; none where nothing is to
    be burned in, or it is ready. `part` is what is taken of the source's picture.

    Raises InvalidRequest when the source has no such subtitles.
    """
    if work.burn is None or work.burned is not None:
        return ()
    beside = work.burn.file
    stream = None if beside is not None else _stream_of(work.burn, source)
    styled = work.burn.styles and not part.hdr and _is_styled(beside, stream)
    bitmaps = isinstance(stream, BitmapStream)
    payload = BurnPayload(
        input=file,
        stream=None if stream is None else stream.index,
        file=beside,
        picture_start=part.first - (source.video.first if beside is not None else 0),
        length=part.end - part.first,
        width=part.shown_width,
        height=part.shown_height,
        aspect=1 / part.sample_aspect if part.sideways else part.sample_aspect,
        colored=not part.hdr,
        styled=styled,
        fonts=source.fonts if styled and beside is None else (),
        bitmaps=bitmaps,
        forced=work.burn.forced,
        timescale=timescale(part.time_base),
    )
    task = NewTask(
        name=BURN_NAME,
        kind="burn",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        weight=0,
        timeout_seconds=work.task_timeout_seconds,
    )
    return task, replace(plan_task(work), name="plan-burned", waits_for=(BURN_NAME,))


def _is_styled(file: str | None, stream: TextStream | BitmapStream | None) -> bool:
    """Whether the text has the styles of ASS."""
    if file is not None:
        return file.lower().endswith(STYLED_SUFFIXES)
    return stream is not None and stream.codec in ("ass", "ssa")


def _stream_of(burn: Burn, source: Source) -> TextStream | BitmapStream:
    """Text before bitmaps, where both would do: its letters are sharp at every size."""
    chosen: Sequence[TextStream | BitmapStream]
    if burn.language is not None:
        texts = choose_tracks((burn.language,), source.texts)
        chosen = [*texts, *choose_tracks((burn.language,), source.bitmaps)]
        wrong, where = f"no subtitles in {burn.language}", "burn.language"
    elif burn.track is not None:
        chosen = _in_order(source)[burn.track - 1 : burn.track]
        wrong, where = f"no subtitles with number {burn.track}", "burn.track"
    else:
        chosen, wrong, where = (*source.texts, *source.bitmaps), "no subtitles", "burn"
    if burn.forced:
        chosen = [each for each in chosen if each.codec in _FORCED]
        wrong = f"{wrong} that can mark cues as forced, as PGS and those of DVD"
    if not chosen:
        raise InvalidRequest(
            f"the source has {wrong}", where=where, remedy=f"it has {_listed(source)}"
        )
    return chosen[0]


def _in_order(source: Source) -> list[TextStream | BitmapStream]:
    return sorted((*source.texts, *source.bitmaps), key=lambda stream: stream.index)


def _listed(source: Source) -> str:
    """What there is, in words."""
    named = (
        f"{number}: {stream.codec} {language_of(stream)}"
        for number, stream in enumerate(_in_order(source), start=1)
    )
    return ", ".join(named) or "none: give a file"
