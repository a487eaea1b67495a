"""Subtitles that are kept as they are: pictures, and the styles of ASS with their fonts."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import av
import pytest

from ffrtmp_ray.media import fonts
from ffrtmp_ray.media.bitmaps.times import Cue, first_needed
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.texts import held, text_warnings
from ffrtmp_ray.media.probe.source import BitmapStream, TextStream
from ffrtmp_ray.media.spec import Container, Subtitles
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pgs import Screen, sup, sup_of
from tests.media.pipeline import assert_published, run_job, spec
from tests.media.planning import ladder_of, source_with

CUES = [(0.5, 1.5), (2.0, 3.0)]
PICTURE = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=4")
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25")
ASS = """[Script Info]
ScriptType: v4.00+
PlayResX: 64
PlayResY: 64

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Alignment
Style: Sign,Impact,20,&H000000FF,-1,8

[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:00.50,0:00:01.50,Sign,{\\\\pos(10,10)}first
Dialogue: 0,0:00:02.00,0:00:03.00,Sign,second
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Films whose clocks start at three seconds: with PGS, with that of DVD, with styled text."""
    folder = tmp_path_factory.mktemp("kept")
    (folder / "a.sup").write_bytes(sup(CUES))
    (folder / "a.ass").write_text(ASS)
    font = next(fonts.OWN.glob("*.ttf"))
    shutil.copy(font, folder / "font.ttf")
    attached = ("-attach", folder / "font.ttf", "-metadata:s:t", "mimetype=font/ttf")
    later = ("-output_ts_offset", "3")
    named = ("-metadata:s:s:0", "language=eng", "-disposition:s:0", "forced")
    for name, subtitles, codec, more in (
        ("pgs.mkv", "a.sup", "copy", ()),
        ("dvd.mkv", "a.sup", "dvdsub", ()),
        ("ass.mkv", "a.ass", "copy", attached),
    ):  # fmt: skip
        inputs = (*PICTURE, "-i", folder / subtitles, "-map", "0", "-map", "1")
        argv = (*inputs, *more, *X264, "-c:s", codec, *named, *later, folder / name)
        run(ffmpeg, "-v", "error", *argv)
    return folder


def shown(path: Path) -> list[float]:
    """When the packets of its subtitles are due, in seconds."""
    with av.open(path) as container:
        stream = container.streams.subtitles[0]
        packets = [packet for packet in container.demux(stream) if packet.size]
    return [float(packet.pts * packet.time_base) for packet in packets]


def contents(path: Path) -> list[bytes]:
    with av.open(path) as container:
        stream = container.streams.subtitles[0]
        return [bytes(packet) for packet in container.demux(stream) if packet.size]


@pytest.mark.parametrize(
    ("name", "suffix", "codec"),
    [
        ("pgs.mkv", "mkv", "hdmv_pgs_subtitle"),
        ("dvd.mkv", "mkv", "dvd_subtitle"),
        ("dvd.mkv", "mp4", "dvd_subtitle"),
        ("ass.mkv", "mkv", "ass"),
    ],
)
async def test_they_are_in_the_file_as_they_are_when_they_were_shown(
    name: str, suffix: str, codec: str, folder: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a.{suffix}"
    job = spec(folder / name, target, audio=None, subtitles=Subtitles())
    outcome = await run_job(job, toolbox)
    (output,) = assert_published(outcome, target)
    assert output["subtitles"] == f"{codec} eng"
    assert not outcome.warnings
    assert contents(target) == contents(folder / name)
    assert shown(target) == pytest.approx([time - 3 for time in shown(folder / name)], abs=0.001)
    with av.open(target) as made:
        assert "forced" in made.streams.subtitles[0].disposition.name or suffix == "mp4"


async def test_a_trim_takes_those_that_are_shown_in_it(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    job = spec(folder / "ass.mkv", out / "a.mkv", audio=None, subtitles=Subtitles())
    job = job.model_copy(update={"trim": Trim(start=1, duration=1.5)})
    assert_published(await run_job(job, toolbox), out / "a.mkv")
    assert shown(out / "a.mkv") == pytest.approx([0, 1], abs=0.001)
    with av.open(out / "a.mkv") as made:
        first = next(p for p in made.demux(made.streams.subtitles[0]) if p.size)
        assert float(first.duration * first.time_base) == pytest.approx(0.5, abs=0.001)


FADING = (
    Screen(0, shown=False),
    Screen(0.3),
    Screen(0.5),
    Screen(0.8, color=(235, 128, 128, 90), palette_alone=True),
    Screen(1.5, shown=False),
    Screen(2.0),
    Screen(3.0, shown=False),
)
"""What is on at one second is said by two packets; by three, with the one before these."""


@pytest.mark.parametrize(
    ("screens", "options", "kept", "times"),
    [
        (FADING, ("-c:s", "copy"), slice(2, 6), [0, 0, 0.5, 1]),
        (FADING[:2] + FADING[4:], ("-c:s", "dvbsub"), slice(0, 3), [0, 0.5, 1]),
        (FADING[:2] + FADING[5:], ("-c:s", "dvdsub"), slice(0, 2), [0, 1]),
        ((Screen(0), Screen(0.5, shown=False), Screen(2)), ("-c:s", "copy"), slice(2, 3), [1]),
    ],
)
async def test_what_is_on_when_a_trim_begins_is_on_from_then(
    screens: tuple[Screen, ...],
    options: tuple[str, ...],
    kept: slice,
    times: list[float],
    toolbox: Toolbox,
    ffmpeg: str,
    out: Path,
    tmp_path: Path,
) -> None:
    """With all that must be read to show it, and nothing before."""
    clip, subtitles = tmp_path / "film.mkv", tmp_path / "a.sup"
    subtitles.write_bytes(sup_of(screens, size=(64, 64)))
    ends = ("-fix_sub_duration",) if options[1] != "copy" else ()
    tracks = (*ends, "-i", subtitles, "-map", "0", "-map", "1")
    run(ffmpeg, "-v", "error", *PICTURE, *tracks, *X264, *options, "-output_ts_offset", "3", clip)
    job = spec(clip, out / "a.mkv", audio=None, subtitles=Subtitles())
    job = job.model_copy(update={"trim": Trim(start=1, duration=1.5)})
    assert_published(await run_job(job, toolbox), out / "a.mkv")
    assert shown(out / "a.mkv") == pytest.approx(times, abs=0.002)
    assert contents(out / "a.mkv") == contents(clip)[kept]


def test_a_part_of_a_track_needs_what_its_decoder_has_not_forgotten() -> None:
    def needed(*cues: tuple[int, bool, bool, int | None]) -> Fraction | None:
        read = (Cue(Fraction(at), begins, shows, end) for at, begins, shows, end in cues)
        return first_needed(read, Fraction(10))

    assert needed((1, True, True, None), (5, True, True, None), (7, False, True, None)) == 5
    assert needed((1, True, True, None), (5, True, False, None)) is None
    assert needed((1, True, True, 10)) is None
    assert needed((1, False, True, 11), (10, True, False, None)) == 1
    assert needed() is None


async def test_styles_come_with_their_fonts(folder: Path, toolbox: Toolbox, out: Path) -> None:
    job = spec(folder / "ass.mkv", out / "a.mkv", audio=None, subtitles=Subtitles())
    assert_published(await run_job(job, toolbox), out / "a.mkv")
    with av.open(out / "a.mkv") as made:
        header = made.streams.subtitles[0].codec_context.extradata or b""
        assert b"Style: Sign,Impact,20,&H000000FF,-1,8" in header
        (attached,) = made.streams.attachments
        assert attached.data == (folder / "font.ttf").read_bytes()


PGS = BitmapStream(index=3, codec="hdmv_pgs_subtitle", language="eng")
TEXT = TextStream(index=4, codec="subrip", language="fra")
SOURCE = source_with(subtitles=2).model_copy(update={"texts": (TEXT,), "bitmaps": (PGS,)})


@pytest.mark.parametrize("container", [Container.MP4, Container.WEBM])
def test_where_they_cannot_be_held_the_job_says_what_can(container: Container) -> None:
    kind = OutputKind(folder=False, container=container)
    assert held(SOURCE, kind) == (TEXT,)
    said = list(text_warnings(ladder_of(subtitles=Subtitles()), SOURCE, kind))
    assert said == [
        "subtitles that are pictures, not text, are left out (1): an .mkv would hold them"
    ]


def test_packages_have_text_alone() -> None:
    kind = OutputKind(folder=True, container=Container.MP4, packaging=Packaging())
    assert held(SOURCE, kind) == (TEXT,)
    said = list(text_warnings(ladder_of(subtitles=Subtitles()), SOURCE, kind))
    assert said == ["subtitles that are pictures, not text, are left out (1)"]


def test_in_matroska_they_stand_where_they_stood() -> None:
    kind = OutputKind(folder=False, container=Container.MKV)
    assert held(SOURCE, kind) == (PGS, TEXT)
    assert not list(text_warnings(ladder_of(subtitles=Subtitles()), SOURCE, kind))
