"""Cues made ready to be burned into a picture. Pure.

What is shown at a time must follow from that time alone, whatever was shown before: a chunk has not
seen what came before it. libass places a cue where those that it has shown leave room; so cues that
are shown together become one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import pairwise

from ffrtmp_ray.media.package.cues import Cue

_MOST_AT_ONCE = 6
"""Cues that are shown together, the latest; more leave no picture to see, and a text that has
thousands at once takes no longer than another."""
_PLACE = re.compile(r"\{\\an([1-9])\}")
"""Where it is shown, as the number pad has it: SubRip's only tag of ASS that is in wide use."""
_BRACES = re.compile(r"\{[^}]*\}")
_FONT = re.compile(r"<font\b([^>]*)>", re.IGNORECASE)
_COLOR = re.compile(r"""color\s*=\s*["']?(#?\w+)["']?""", re.IGNORECASE)
_UNSEEN = "CZ"
"""General categories of Unicode: controls and spaces."""
_WRITING = "LMN"
"""Letters, their marks, and digits."""
_USUAL_PLACE = 2
"""At the bottom, in the middle."""


def burnable(cues: Iterable[Cue], *, colored: bool) -> list[Cue]:
    """The cues of SubRip as they are burned in: one at a time in each place, all in one font and
    size, and with their own colours where `colored`.

    All are a millisecond earlier: the renderer rounds a frame's time down to one, and may so come
    just before a cue that begins with the frame.
    """
    places: dict[int, list[Cue]] = {}
    for cue in cues:
        place, lines = _cleaned(cue.lines, colored)
        if lines:
            places.setdefault(place, []).append(Cue(cue.start, cue.end, lines))
    return sorted(
        (
            Cue(max(cue.start - 1, 0), cue.end - 1, (f"{{\\an{place}}}{cue.lines[0]}", *rest))
            for place, there in places.items()
            for cue in _one_at_a_time(there)
            for rest in [cue.lines[1:]]
        ),
        key=lambda cue: (cue.start, cue.end),
    )


def unwritten(cues: Iterable[Cue], known: Collection[int]) -> tuple[str, str]:
    """The characters that are not among `known` code points: letters and digits, without which text
    cannot be read, and others."""
    there = {each for cue in cues for line in cue.lines for each in line if ord(each) not in known}
    lacking = sorted(each for each in there if unicodedata.category(each)[0] not in _UNSEEN)
    letters = [each for each in lacking if unicodedata.category(each)[0] in _WRITING]
    return "".join(letters), "".join(each for each in lacking if each not in letters)


def without(cues: Iterable[Cue], characters: str) -> list[Cue]:
    """The cues without those characters; what has no others is no cue."""
    gone = str.maketrans("", "", characters)
    left = [replace(cue, lines=tuple(line.translate(gone) for line in cue.lines)) for cue in cues]
    return [cue for cue in left if any(_BRACES.sub("", line).strip() for line in cue.lines)]


def _one_at_a_time(cues: list[Cue]) -> Iterator[Cue]:
    """From one change of what is shown to the next, in the order in which they appear."""
    waiting = sorted(cues, key=lambda cue: cue.start, reverse=True)
    shown: list[Cue] = []
    for begin, end in pairwise(sorted({time for cue in cues for time in (cue.start, cue.end)})):
        shown = [cue for cue in shown if cue.end > begin]
        while waiting and waiting[-1].start == begin:
            shown.append(waiting.pop())
        shown = shown[-_MOST_AT_ONCE:]
        if shown:
            lines = tuple(line for cue in shown for line in cue.lines)
            yield Cue(begin, end, lines)


def _cleaned(lines: tuple[str, ...], colored: bool) -> tuple[int, tuple[str, ...]]:
    """Its place, and its lines without what would choose fonts, sizes and effects."""
    found = _PLACE.search("\n".join(lines))
    place = int(found.group(1)) if found is not None else _USUAL_PLACE
    clean = (_FONT.sub(lambda tag: _font(tag, colored), _BRACES.sub("", line)) for line in lines)
    return place, tuple(line for line in clean if line.strip())


def _font(tag: re.Match[str], colored: bool) -> str:
    color = _COLOR.search(tag.group(1))
    return f'<font color="{color.group(1)}">' if color is not None and colored else "<font>"
