"""Which of a source's subtitles a job has, and the tasks that take them out. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.encode.work import TextForm, TextWork
from ffrtmp_ray.media.plan.needs import LIGHT
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.payloads import InputFile, SubtitlesPayload, TextPayload
from ffrtmp_ray.media.plan.sounds import LIGHT_SHARE, SoundSpan
from ffrtmp_ray.media.plan.tracks import UNDETERMINED, choose_tracks, dispositions_of, missing
from ffrtmp_ray.media.probe.source import Source, TextStream
from ffrtmp_ray.media.spec import Container, Ladder

_FORMS = {
    Container.MP4: TextForm.SUBRIP,
    Container.MKV: TextForm.SUBRIP,
    Container.WEBM: TextForm.WEBVTT,
}
"""MP4 has its own, which is made of SubRip when it is put there."""


@dataclass(frozen=True, slots=True)
class Text:
    """Subtitles of the outputs, and which of the source's they are."""

    name: str
    """Of its task."""
    stream: TextStream
    form: TextForm
    dispositions: tuple[str, ...]


def texts(
    ladder: Ladder, source: Source, kind: OutputKind, burned: int | None = None
) -> tuple[Text, ...]:
    """Those that the ladder asks for, the source has, and the output can hold; without the stream
    that is `burned` in, which would be shown twice."""
    if ladder.subtitles is None:
        return ()
    form = TextForm.WEBVTT if kind.packaging is not None else _FORMS[kind.container]
    wanted = choose_tracks(ladder.subtitles.tracks, source.texts)
    chosen = [text for text in wanted if text.index != burned]
    purposes = dispositions_of(chosen, one_is_default=False)
    return tuple(
        Text(f"subtitles{number}", stream, form, purpose)
        for number, (stream, purpose) in enumerate(zip(chosen, purposes, strict=True))
    )


def text_task(text: Text, file: InputFile, span: SoundSpan) -> NewTask:
    """Of `file`, in which the subtitles were found."""
    payload = SubtitlesPayload(
        input=file,
        text=TextWork(
            stream=text.stream.index,
            form=text.form,
            picture_start=span.start,
            length=span.length,
        ),
    )
    return NewTask(
        name=text.name,
        kind="subtitles",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        weight=float(span.length) * LIGHT_SHARE,
    )


def text_of(text: Text) -> TextPayload:
    """What `finish` is told of it."""
    language = text.stream.language
    return TextPayload(
        task=text.name,
        form=text.form,
        language=None if language == UNDETERMINED else language,
        title=text.stream.title,
        dispositions=text.dispositions,
    )


def text_warnings(ladder: Ladder, source: Source, burned: int | None = None) -> Iterator[str]:
    """What the user may not expect of the subtitles; `burned` is a stream that is burned in."""
    if ladder.subtitles is None:
        if left := source.subtitles - (burned is not None):
            yield f"subtitles are left out ({left})"
        return
    if pictures := source.subtitles - len(source.texts):
        yield f"subtitles that are pictures, not text, are left out ({pictures})"
    if lacking := missing(ladder.subtitles.tracks, source.texts):
        yield f"the source has no subtitles in {' or '.join(lacking)}"
