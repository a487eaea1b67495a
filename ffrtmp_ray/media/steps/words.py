"""How what is in an output is said to its user, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ffrtmp_ray.media.probe.source import AudioStream, BitmapStream, Source, TextStream


def sounds_in_words(sounds: Sequence[AudioStream]) -> str | None:
    """As `aac 2ch`; as `aac 6ch eng, aac 2ch fra` where there are several."""
    several = len(sounds) > 1
    words = [
        f"{sound.codec} {sound.channels}ch{f' {sound.language}' if several else ''}"
        for sound in sounds
    ]
    return ", ".join(words) or None


def subtitles_in_words(found: Source) -> str | None:
    """As `subrip eng, hdmv_pgs_subtitle fra`."""
    tracks: tuple[TextStream | BitmapStream, ...] = (*found.texts, *found.bitmaps)
    there = sorted(tracks, key=lambda stream: stream.index)
    return ", ".join(f"{each.codec} {each.language or 'und'}" for each in there) or None
