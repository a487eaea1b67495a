"""Which of a source's subtitles a job has, and the tasks that take them out. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.encode.work import AttachedFont, TextForm, TextWork
from ffrtmp_ray.media.plan.needs import LIGHT
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.payloads import InputFile, SubtitlesPayload, TextPayload
from ffrtmp_ray.media.plan.sounds import LIGHT_SHARE, SoundSpan
from ffrtmp_ray.media.plan.tracks import (
    UNDETERMINED,
    choose_tracks,
    dispositions_of,
    language_of,
    missing,
)
from ffrtmp_ray.media.probe.source import BitmapStream, Source, TextStream
from ffrtmp_ray.media.spec import Container, Ladder

_STYLED = frozenset({"ass", "ssa"})
_BITMAPS = {
    Container.MP4: frozenset({"dvd_subtitle"}),
    Container.MKV: frozenset({"hdmv_pgs_subtitle", "dvd_subtitle", "dvb_subtitle"}),
}
"""Subtitles that are pictures, by ffmpeg's names of their codecs, that a container holds."""
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
    stream: TextStream | BitmapStream
    form: TextForm
    dispositions: tuple[str, ...]
    file: str | None = None
    """Its name beside the outputs, where it is a file of its own."""


def texts(
    ladder: Ladder, source: Source, kind: OutputKind, burned: int | None = None
) -> tuple[Text, ...]:
    """Those that the ladder asks for, the source has, and the output can hold; without the stream
    that is `burned` in, which would be shown twice."""
    if ladder.subtitles is None:
        return ()
    wanted = choose_tracks(ladder.subtitles.tracks, held(source, kind))
    chosen = [text for text in wanted if text.index != burned]
    purposes = dispositions_of(chosen, one_is_default=False)
    return tuple(
        Text(f"subtitles{number}", stream, _form(stream, kind), purpose)
        for number, (stream, purpose) in enumerate(zip(chosen, purposes, strict=True))
    )


def held(source: Source, kind: OutputKind) -> tuple[TextStream | BitmapStream, ...]:
    """Those of the source's subtitles that an output of that `kind` can hold."""
    codecs = (
        frozenset() if kind.packaging is not None else _BITMAPS.get(kind.container, frozenset())
    )
    bitmaps = (each for each in source.bitmaps if each.codec in codecs)
    return tuple(sorted((*source.texts, *bitmaps), key=lambda stream: stream.index))


def _form(stream: TextStream | BitmapStream, kind: OutputKind) -> TextForm:
    if kind.packaging is not None:
        return TextForm.WEBVTT
    styled = stream.codec in _STYLED and kind.container is Container.MKV
    if styled or isinstance(stream, BitmapStream):
        return TextForm.PACKETS
    return _FORMS[kind.container]


def text_task(
    text: Text, file: InputFile, span: SoundSpan, fonts: tuple[AttachedFont, ...]
) -> NewTask:
    """Of `file`, in which the subtitles and those fonts were found."""
    payload = SubtitlesPayload(
        input=file,
        text=TextWork(
            stream=text.stream.index,
            form=text.form,
            bitmaps=isinstance(text.stream, BitmapStream),
            fonts=fonts,
            picture_start=span.start,
            length=span.length,
        ),
        file=text.file,
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


def texts_beside(
    ladder: Ladder, source: Source, kind: OutputKind, burned: int | None = None
) -> tuple[Text, ...]:
    """Those that lie beside files as WebVTT: of the texts that the ladder asks for, each."""
    if ladder.subtitles is None or not ladder.subtitles.webvtt or kind.packaging is not None:
        return ()
    chosen = choose_tracks(ladder.subtitles.tracks, source.texts)
    names: list[str] = []
    for text in chosen:
        language = _as_name(language_of(text))
        several = sum(name.startswith(f"subtitles.{language}.") for name in names)
        names.append(f"subtitles.{language}{f'.{several + 1}' if several else ''}.vtt")
    return tuple(
        Text(f"webvtt{number}", text, TextForm.WEBVTT, (), name)
        for number, (text, name) in enumerate(zip(chosen, names, strict=True))
        if text.index != burned
    )


def _as_name(language: str) -> str:
    """Part of a file's name: of what a source says, no more than a code."""
    return language if re.fullmatch(r"[a-z]{2,3}", language) else UNDETERMINED


def fonts_of(text: Text, texts: Sequence[Text], source: Source) -> tuple[AttachedFont, ...]:
    """Those that go with one of `texts` into the outputs: all of them with the first that has
    styles."""
    kept = [
        each for each in texts if each.form is TextForm.PACKETS and each.stream.codec in _STYLED
    ]
    return source.fonts if kept and text is kept[0] else ()


def text_warnings(
    ladder: Ladder, source: Source, kind: OutputKind, burned: int | None = None
) -> Iterator[str]:
    """What the user may not expect of the subtitles; `burned` is a stream that is burned in."""
    if ladder.subtitles is None:
        if left := source.subtitles - (burned is not None):
            yield f"subtitles are left out ({left})"
        return
    there = held(source, kind)
    unseen = burned is not None and burned not in [each.index for each in there]
    if pictures := source.subtitles - len(there) - unseen:
        holding = "" if kind.packaging is not None else ": an .mkv would hold them"
        yield f"subtitles that are pictures, not text, are left out ({pictures}){holding}"
    if lacking := missing(ladder.subtitles.tracks, there):
        yield f"the source has no subtitles in {' or '.join(lacking)}"
