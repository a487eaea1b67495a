"""ASS is burned in as it says: with its styles, places, effects and fonts, however it is cut."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from ffrtmp_ray.media.package.styled import Event, make_room, read_events
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.pipeline import (
    Outcome,
    assert_published,
    encodes_of,
    rendition,
    run_job,
    spec,
)

HEAD = """[Script Info]
ScriptType: v4.00+
PlayResX: 320
PlayResY: 180

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, OutlineColour, Outline, Alignment, MarginL, MarginR, MarginV
Style: Red,Noto Sans,40,&H000000FF,&H00000000,1,5,0,0,0
Style: Low,Noto Sans,20,&H00FFFFFF,&H00000000,1,2,0,0,10

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""  # noqa: E501  # that is one line of the format
MOVING = (
    r"Dialogue: 0,0:00:00.40,0:00:03.60,Red,,0,0,0,,{\move(60,90,260,90)\fad(400,400)}MOVE" + "\n"
)
TOGETHER = """Dialogue: 0,0:00:00.40,0:00:02.00,Low,,0,0,0,,first
Dialogue: 0,0:00:01.00,0:00:03.60,Low,,0,0,0,,second
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Grey films of four seconds that start at two, with text of ASS."""
    folder = tmp_path_factory.mktemp("styled")
    for name, events in (("moving", MOVING), ("together", TOGETHER)):
        (folder / f"{name}.ass").write_text(HEAD + events)
        picture = ("-f", "lavfi", "-i", "color=0x404040:size=320x180:duration=4")
        encoder = ("-c:v", "libx264", "-crf", "4", "-g", "12", "-pix_fmt", "yuv420p")
        text = ("-i", folder / f"{name}.ass", "-map", "0", "-map", "1", "-c:s", "copy")
        later = ("-output_ts_offset", "2", folder / f"{name}.mkv")
        run(ffmpeg, "-v", "error", *picture, *text, *encoder, *later)
    return folder


async def burned(spec_: JobSpec, toolbox: Toolbox, burn: Burn, job: str = "job") -> Outcome:
    return await run_job(spec_.model_copy(update={"burn": burn}), toolbox, job=job)


def lossless(clip: Path, target: Path, **fields: object) -> JobSpec:
    return spec(clip, target, rendition(crf=0), audio=None).model_copy(update=fields)


def reds(path: Path) -> list[float | None]:
    """The column in which the red of each frame lies, on average; None where there is none."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    return [_middle(frame.astype(int)) for frame in frames]


def _middle(frame: np.ndarray) -> float | None:
    columns = np.nonzero(frame[..., 0] - frame[..., 1] > 60)[1]
    return float(columns.mean()) if columns.size else None


async def test_styles_places_and_effects_are_the_texts_own_however_the_job_is_cut(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    for chunks in (1, 3):
        job = lossless(folder / "moving.mkv", out / f"{chunks}.mp4", chunks=chunks)
        outcome = await burned(job, toolbox, Burn(), job=f"job{chunks}")
        assert_published(outcome, out / f"{chunks}.mp4")
        assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    found = reds(out / "1.mp4")
    shown = [number for number, column in enumerate(found) if column is not None]
    assert shown[0] in range(10, 20)  # it fades in from frame 10 on
    assert shown[-1] in range(80, 90)
    at_half = found[50]
    assert at_half == pytest.approx(160, abs=8)
    assert frames_of(out / "1.mp4") == frames_of(out / "3.mp4")


async def test_a_trim_sees_the_middle_of_an_effect(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    """Whose time counts from where it began, before the trim."""
    job = lossless(folder / "moving.mkv", out / "a.mp4", trim=Trim(start=2, duration=1))
    assert_published(await burned(job, toolbox, Burn()), out / "a.mp4")
    assert reds(out / "a.mp4")[0] == pytest.approx(160, abs=8)


async def test_a_file_of_it_is_drawn_alike_and_plain_where_that_is_wanted(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    file = str(folder / "moving.ass")
    for name, burn in (("own", Burn(file=file)), ("plain", Burn(file=file, styles=False))):
        job = lossless(folder / "together.mkv", out / f"{name}.mp4")
        assert_published(await burned(job, toolbox, burn, job=name), out / f"{name}.mp4")
    assert reds(out / "own.mp4")[50] == pytest.approx(160, abs=8)
    plain = reds(out / "plain.mp4")
    assert plain[30] is not None
    assert plain[30] == plain[70]  # its colour is kept, and nothing moves


async def test_cues_that_make_room_for_each_other_are_drawn_in_one_piece(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    job = lossless(folder / "together.mkv", out / "a.mp4", chunks=3)
    outcome = await burned(job, toolbox, Burn())
    assert_published(outcome, out / "a.mp4")
    assert len(encodes_of(outcome)) == 1
    said = "the picture is encoded in one piece: the subtitles that are drawn on it make room"
    assert any(warning.startswith(said) for warning in outcome.warnings)


async def test_fonts_that_come_with_it_are_used(
    folder: Path, toolbox: Toolbox, out: Path, ffmpeg: str, tmp_path: Path
) -> None:
    """A font of another name, whose letters are boxes, tells that it is drawn with."""
    font, text, clip = (tmp_path / name for name in ("boxes.ttf", "a.ass", "a.mkv"))
    make_boxes(font)
    text.write_text((HEAD + MOVING).replace("Style: Red,Noto Sans", "Style: Red,Boxes"))
    attached = ("-attach", font, "-metadata:s:t", "mimetype=font/ttf")
    inputs = ("-i", folder / "moving.mkv", "-i", text, "-map", "0:v", "-map", "1")
    run(ffmpeg, "-v", "error", *inputs, *attached, "-c", "copy", clip)
    job = lossless(clip, out / "a.mp4")
    assert_published(await burned(job, toolbox, Burn()), out / "a.mp4")
    with av.open(str(out / "a.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    middle = frames[50].astype(int)
    red = middle[..., 0] - middle[..., 1] > 60
    rows, columns = np.nonzero(red)
    box = red[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert box.mean() > 0.9


def make_boxes(path: Path) -> None:
    """A font of which every letter is a black square as wide as it advances."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    for point, way in zip([(0, 0), (0, 700), (700, 700), (700, 0)], "mlll", strict=True):
        (pen.moveTo if way == "m" else pen.lineTo)(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *"MOVE"]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(dict.fromkeys(names)))
    builder.setupCharacterMap({ord(letter): letter for letter in "MOVE"})
    builder.setupGlyf(dict.fromkeys(dict.fromkeys(names), square))
    builder.setupHorizontalMetrics(dict.fromkeys(dict.fromkeys(names), (700, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=800, usWinAscent=800, usWinDescent=200)
    builder.setupPost()
    builder.save(path)


# ------------------------------------------------------------------------------ what is decided


def test_events_are_read_as_ffmpeg_writes_them() -> None:
    text = (
        HEAD + r"Dialogue: 3,0:01:02.30,1:00:00.00,Red,,0,0,0,,{\pos(1,2)}a, b" + "\nComment: x\n"
    )
    assert read_events(text) == [Event(6230, 360_000, 3, placed=True)]
    assert read_events("Dialogue: 0,soon,later,Red,,0,0,0,,a\nDialogue: 1") == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([Event(0, 10, 0, False), Event(10, 20, 0, False)], False),
        ([Event(5, 15, 0, False), Event(0, 10, 0, False)], True),
        ([Event(0, 10, 0, False), Event(5, 15, 1, False)], False),
        ([Event(0, 10, 0, False), Event(5, 15, 0, True)], False),
        ([Event(0, 90, 0, False), Event(1, 2, 0, True), Event(50, 60, 0, False)], True),
    ],
)
def test_only_those_of_one_layer_that_have_no_place_make_room(
    events: list[Event], expected: bool
) -> None:
    assert make_room(events) is expected
