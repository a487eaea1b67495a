"""Cues: read from what ffmpeg writes, moved in time, and written in either format."""

from __future__ import annotations

import pytest

from ffrtmp_ray.media.encode.work import TextForm
from ffrtmp_ray.media.package.cues import Cue, read, retimed, write

SUBRIP = """1
01:00:00,500 --> 01:00:02,000
one <i>word</i>

2
01:00:02,250 --> 01:00:03,123
two

lines

3
01:00:04,000 --> 01:00:05,500
1984
"""
CUES = [
    Cue(3_600_500, 3_602_000, ("one <i>word</i>",)),
    Cue(3_602_250, 3_603_123, ("two", "lines")),
    Cue(3_604_000, 3_605_500, ("1984",)),
]


def test_subrip_is_read_with_empty_lines_and_numbers_within_a_cue() -> None:
    assert read(SUBRIP) == CUES


def test_webvtt_is_read_with_its_settings_and_notes() -> None:
    text = "WEBVTT\n\nNOTE by hand\n\n100:00:00.000 --> 100:00:01.000 line:0\nlate\n"
    assert read(text) == [Cue(360_000_000, 360_001_000, ("late",))]


def test_webvtt_may_leave_out_the_hours() -> None:
    text = "WEBVTT\n\n59:59.500 --> 01:00:01.000\nearly\n"
    assert read(text) == [Cue(3_599_500, 3_601_000, ("early",))]


@pytest.mark.parametrize(
    "text", ["", "WEBVTT\n", "1\n00:00:01,000 --> 00:00:02,000\n\n", "rubbish"]
)
def test_what_has_no_cues_has_none(text: str) -> None:
    assert read(text) == []


def test_cues_are_cut_to_the_time_that_there_is_a_picture() -> None:
    assert retimed(CUES, 3_601_000, 3_500) == [
        Cue(0, 1_000, ("one <i>word</i>",)),
        Cue(1_250, 2_123, ("two", "lines")),
        Cue(3_000, 3_500, ("1984",)),
    ]
    assert retimed(CUES, 3_600_000, 2_000) == [Cue(500, 2_000, ("one <i>word</i>",))]
    assert retimed(CUES, 3_602_000, 1_000) == [Cue(250, 1_000, ("two", "lines"))]


@pytest.mark.parametrize("form", [TextForm.SUBRIP, TextForm.WEBVTT])
def test_what_is_written_is_read_as_it_was(form: TextForm) -> None:
    assert read(write(CUES, form)) == CUES


def test_webvtt_begins_with_its_name() -> None:
    assert write(CUES[:1], TextForm.WEBVTT) == (
        "WEBVTT\n\n01:00:00.500 --> 01:00:02.000\none <i>word</i>\n"
    )
