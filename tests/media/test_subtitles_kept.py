"""Subtitles that are kept: which, in which form, and shown when they were in the source."""

from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest
from av.stream import Disposition

from ffrtmp_ray.media.package.cues import Cue, read
from ffrtmp_ray.media.spec import Codec, JobSpec, Ladder, Rendition, Subtitles, Tracks
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, encodes_of, rendition, run_job

ENGLISH = """1
00:00:00,500 --> 00:00:02,000
<i>first</i>

2
00:00:02,250 --> 00:00:03,120
second

3
00:00:04,000 --> 00:00:05,500
third
"""
SHOWN = [(500, 2000), (2250, 3120), (4000, 5500)]


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("texts")
    (folder / "english.srt").write_text(ENGLISH)
    (folder / "french.srt").write_text(ENGLISH.replace("second", "deuxième"))
    return folder


def _film(ffmpeg: str, texts: Path, path: Path, *, offset: str = "0", codec: str = "srt") -> Path:
    """Six seconds, with subtitles in two languages, all later by `offset` seconds."""
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=6"),
        *("-i", texts / "english.srt", "-i", texts / "french.srt", "-map", "0", "-map", "1"),
        *("-map", "2", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:s", codec),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:0", "title=All words"),
        *("-metadata:s:s:1", "language=fre", "-disposition:s:1", "forced"),
        *("-output_ts_offset", offset, path),
    )
    return path


def _cues(ffmpeg: str, path: Path, number: int = 0) -> list[Cue]:
    argv = [ffmpeg, "-v", "error", "-i", str(path), "-map", f"0:s:{number}", "-f", "srt", "-"]
    return read(subprocess.run(argv, capture_output=True, text=True, check=True).stdout)


def _times(cues: list[Cue]) -> list[tuple[int, int]]:
    return [(cue.start, cue.end) for cue in cues]


def _job(clip: Path, output: Path, *renditions: Rendition, **fields: object) -> JobSpec:
    ladder = Ladder(
        renditions=renditions or (rendition(),), audio=None, subtitles=Subtitles(**fields)
    )
    return JobSpec(input=str(clip), output=str(output), ladder=ladder)


@pytest.mark.parametrize(
    ("suffix", "codec", "form"),
    [
        (".mp4", Codec.H264, "mov_text"),
        (".mkv", Codec.H264, "subrip"),
        (".webm", Codec.VP9, "webvtt"),
    ],
)
async def test_all_are_kept_in_the_form_of_the_container(
    suffix: str, codec: Codec, form: str, ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    clip, target = _film(ffmpeg, texts, out.parent / "film.mkv"), out / f"a{suffix}"
    outcome = await run_job(_job(clip, target, rendition(codec=codec)), toolbox)
    (output,) = assert_published(outcome, target)
    assert output["subtitles"] == f"{form} eng, {form} fre"
    assert not outcome.warnings
    with av.open(target) as made:
        kept = made.streams.subtitles
        assert [each.codec_context.codec.canonical_name for each in kept] == [form, form]
        assert [each.language for each in kept] == ["eng", "fre"]
        assert "All words" in kept[0].metadata.values()
        assert kept[1].disposition & Disposition.forced or suffix == ".webm"
    assert _times(_cues(ffmpeg, target)) == SHOWN
    assert _cues(ffmpeg, target)[0].lines == ("<i>first</i>",)
    assert _cues(ffmpeg, target, 1)[1].lines == ("deuxième",)


@pytest.mark.parametrize(
    ("suffix", "codec", "offset"),
    [(".mkv", "ass", "5"), (".mp4", "mov_text", "2.5"), (".mkv", "webvtt", "0.9")],
)
async def test_they_are_shown_with_the_frames_of_the_source_whatever_its_clock(
    suffix: str, codec: str, offset: str, ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    """In a job that is cut, too."""
    clip = _film(ffmpeg, texts, out.parent / f"film{suffix}", offset=offset, codec=codec)
    job = _job(clip, out / "a.mkv").model_copy(update={"chunks": 3})
    outcome = await run_job(job, toolbox)
    assert_published(outcome, out / "a.mkv")
    assert len(encodes_of(outcome)) == 3
    for (start, end), (begin, stop) in zip(
        SHOWN, _times(_cues(ffmpeg, out / "a.mkv")), strict=True
    ):
        assert begin == pytest.approx(start, abs=10)
        assert stop == pytest.approx(end, abs=10)


async def test_a_trim_takes_the_part_of_them_that_belongs_to_it(
    ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    clip = _film(ffmpeg, texts, out.parent / "film.mkv")
    job = _job(clip, out / "a.mp4").model_copy(update={"trim": Trim(start=1, duration=3.4)})
    assert_published(await run_job(job, toolbox), out / "a.mp4")
    assert _times(_cues(ffmpeg, out / "a.mp4")) == [(0, 1000), (1250, 2120), (3000, 3400)]


async def test_named_languages_are_taken_and_missing_ones_are_told(
    ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    clip = _film(ffmpeg, texts, out.parent / "film.mkv")
    outcome = await run_job(_job(clip, out / "a.mkv", tracks=("fra", "jpn")), toolbox)
    assert_published(outcome, out / "a.mkv")
    assert outcome.warnings == ["the source has no subtitles in jpn"]
    with av.open(out / "a.mkv") as made:
        assert [each.language for each in made.streams.subtitles] == ["fre"]


async def test_a_folder_has_them_in_every_file(
    ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    clip = _film(ffmpeg, texts, out.parent / "film.mkv")
    job = _job(clip, out / "all", rendition("a"), rendition("b", height=32), tracks=Tracks.FIRST)
    assert_published(await run_job(job, toolbox), out / "all/a.mp4", out / "all/b.mp4")
    for name in ("a", "b"):
        assert _times(_cues(ffmpeg, out / f"all/{name}.mp4")) == SHOWN


async def test_subtitles_that_show_nothing_are_left_out_and_told(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """They come after the picture's end, at which a player would wait for them."""
    late, clip = tmp_path / "late.srt", tmp_path / "film.mkv"
    late.write_text("1\n00:01:00,000 --> 00:01:01,000\nlate\n")
    picture = ("-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=2")
    encoders = ("-c:v", "libx264", "-preset", "ultrafast", "-c:s", "srt")
    run(ffmpeg, "-v", "error", *picture, "-i", late, *encoders, clip)
    outcome = await run_job(_job(clip, out / "a.mkv"), toolbox)
    assert_published(outcome, out / "a.mkv")
    assert outcome.warnings == ["subtitles without any text are left out (stream 1)"]
    with av.open(out / "a.mkv") as made:
        assert not made.streams.subtitles


async def test_without_a_word_about_them_they_are_left_out(
    ffmpeg: str, texts: Path, toolbox: Toolbox, out: Path
) -> None:
    clip = _film(ffmpeg, texts, out.parent / "film.mkv")
    ladder = Ladder(renditions=(rendition(),), audio=None)
    job = JobSpec(input=str(clip), output=str(out / "a.mkv"), ladder=ladder)
    outcome = await run_job(job, toolbox)
    assert_published(outcome, out / "a.mkv")
    assert outcome.warnings == ["subtitles are left out (2)"]
