"""Which of a source's tracks of one kind, sounds or subtitles, a job takes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ffrtmp_ray.media.languages import canonical
from ffrtmp_ray.media.probe.source import TrackLabels
from ffrtmp_ray.media.spec import Language, Tracks

UNDETERMINED = "und"
"""ISO 639-2's word for a language that is not known."""
_DEFAULT = "default"

AnyTrack = TypeVar("AnyTrack", bound=TrackLabels)


def choose_tracks(
    wanted: Tracks | Sequence[Language], tracks: Sequence[AnyTrack]
) -> tuple[AnyTrack, ...]:
    """Those that are wanted, of named languages in the order in which they are named."""
    if wanted is Tracks.ALL:
        return tuple(tracks)
    if wanted is Tracks.FIRST:
        return tuple(tracks[:1])
    return tuple(
        track
        for language in dict.fromkeys(map(canonical, wanted))
        for track in tracks
        if language_of(track) == language
    )


def missing(
    wanted: Tracks | Sequence[Language], tracks: Sequence[TrackLabels]
) -> tuple[Language, ...]:
    """The languages that are wanted by name and are in none of the tracks."""
    if isinstance(wanted, Tracks):
        return ()
    there = {language_of(track) for track in tracks}
    return tuple(each for each in wanted if canonical(each) not in there)


def language_of(track: TrackLabels) -> Language:
    """In the form in which all compare."""
    return canonical(track.language or UNDETERMINED)


def dispositions_of(
    tracks: Sequence[TrackLabels], *, one_is_default: bool
) -> list[tuple[str, ...]]:
    """What each is for, as the source has it, but that at most one is the default.

    `one_is_default`: where the source names none among them, it is the first.
    """
    named = [number for number, each in enumerate(tracks) if _DEFAULT in each.dispositions]
    default = named[0] if named else 0 if one_is_default else None
    return [
        (*((_DEFAULT,) if number == default else ()), *_others(each))
        for number, each in enumerate(tracks)
    ]


def _others(track: TrackLabels) -> tuple[str, ...]:
    return tuple(each for each in track.dispositions if each != _DEFAULT)
