"""How what is in an output is said to its user, in a few words. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ffrtmp_ray.media.probe.source import AudioStream, TextStream


def sounds_in_words(sounds: Sequence[AudioStream]) -> str | None:
    """As `aac 2ch`; as `aac 6ch eng, aac 2ch fra` where there are several."""
    several = len(sounds) > 1
    words = [
        f"{sound.codec} {sound.channels}ch{f' {sound.language}' if several else ''}"
        for sound in sounds
    ]
    return ", ".join(words) or None


def texts_in_words(texts: Sequence[TextStream]) -> str | None:
    """As `subrip eng, subrip fra`."""
    return ", ".join(f"{text.codec} {text.language or 'und'}" for text in texts) or None
