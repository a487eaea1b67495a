"""What is burned in at a time follows from that time alone."""

from __future__ import annotations

from ffrtmp_ray.media.package.burning import burnable, unwritten, without
from ffrtmp_ray.media.package.cues import Cue


def _cue(start: int, end: int, *lines: str) -> Cue:
    return Cue(start, end, lines)


def test_cues_that_are_shown_together_become_one_for_as_long() -> None:
    """All a millisecond earlier, by which the renderer's rounding is made up for."""
    cues = [_cue(0, 1000, "a"), _cue(500, 2000, "b"), _cue(2000, 3000, "c")]
    assert burnable(cues, colored=True) == [
        _cue(0, 499, r"{\an2}a"),
        _cue(499, 999, r"{\an2}a", "b"),
        _cue(999, 1999, r"{\an2}b"),
        _cue(1999, 2999, r"{\an2}c"),
    ]


def test_each_place_has_cues_of_its_own() -> None:
    cues = [_cue(0, 1000, r"{\an8}top"), _cue(0, 1000, "bottom")]
    assert [cue.lines for cue in burnable(cues, colored=True)] == [
        (r"{\an8}top",),
        (r"{\an2}bottom",),
    ]


def test_of_many_at_once_the_latest_are_shown() -> None:
    cues = [_cue(number * 10, 1000, str(number)) for number in range(9)]
    last = burnable(cues, colored=True)[-1]
    assert last.lines == (r"{\an2}3", "4", "5", "6", "7", "8")


def test_of_tags_those_stay_that_choose_no_font_size_or_effect() -> None:
    font = '<font face="Wide" size="90" color="#ff0000">'
    line = rf"{{\fnWide}}{font}<b>red</b></font>{{\move(1,2)}}"
    (cue,) = burnable([_cue(0, 1000, line)], colored=True)
    assert cue.lines == (r'{\an2}<font color="#ff0000"><b>red</b></font>',)
    (cue,) = burnable([_cue(0, 1000, line)], colored=False)
    assert cue.lines == (r"{\an2}<font><b>red</b></font>",)


def test_what_has_no_text_is_no_cue() -> None:
    assert burnable([_cue(0, 1000, r"{\an8}"), _cue(0, 1000, " ")], colored=True) == []


def test_letters_that_no_font_has_are_told_from_signs() -> None:
    cues = [_cue(0, 1000, "a日♪ \u200b", "語"), _cue(0, 1000, "♪")]
    assert unwritten(cues, {ord("a")}) == ("日語", "♪")
    assert without(cues, "♪") == [_cue(0, 1000, "a日 \u200b", "語")]
