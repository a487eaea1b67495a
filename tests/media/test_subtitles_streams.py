"""Subtitles of packages: WebVTT, in segments that lie on the pictures', and whole."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import m3u8
import pytest

from ffrtmp_ray.media.encode.work import TextForm
from ffrtmp_ray.media.package.cues import Cue, read, segment, write
from ffrtmp_ray.media.probe.source import TrackLabels
from ffrtmp_ray.media.spec import JobSpec, Ladder, Subtitles
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.steps.making import names_of
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import rendition, run_job

CUES = [Cue(500, 2000, ("first",)), Cue(2250, 3120, ("second",)), Cue(4000, 5500, ("third",))]
SECONDS = 6
DASH = {"": "urn:mpeg:dash:schema:mpd:2011"}


def test_a_segment_has_the_cues_that_are_shown_in_it_each_whole() -> None:
    text = segment(CUES, 1000, 2250, later=10)
    assert text == (
        "WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n"
        "00:00:00.500 --> 00:00:02.000\nfirst\n"
    )
    assert [cue.lines for cue in read(segment(CUES, 1000, 2251, later=0))] == [
        ("first",), ("second",),
    ]  # fmt: skip
    assert read(segment(CUES, 3120, 4000, later=0)) == []


@pytest.fixture
def film(ffmpeg: str, tmp_path: Path) -> Path:
    """Its clock starts at three seconds; the second subtitles are forced."""
    path, text = tmp_path / "film.mkv", tmp_path / "text.srt"
    text.write_text(write(CUES, TextForm.SUBRIP))
    picture = f"testsrc2=size=64x64:rate=25:duration={SECONDS}"
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", picture, "-i", text, "-map", "0", "-map", "1"),
        *("-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-c:s", "srt"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=eng"),
        *("-disposition:s:1", "forced", "-output_ts_offset", "3", path),
    )
    return path


@pytest.mark.parametrize(
    "packaging",
    [
        Packaging(dash=True, segment_seconds=2),
        Packaging(hls=HlsSegments.TS, segment_seconds=2),
    ],
    ids=["fmp4", "ts"],
)
async def test_a_package_has_them_on_the_times_of_the_pictures(
    packaging: Packaging, film: Path, toolbox: Toolbox, out: Path
) -> None:
    ladder = Ladder(
        renditions=(rendition(),), audio=None, subtitles=Subtitles(), packaging=packaging
    )
    job = JobSpec(input=str(film), output=str(out / "a"), ladder=ladder, chunks=2)
    outcome = await run_job(job, toolbox)
    assert "publish" in outcome.results, (outcome.last, outcome.logs)
    told = [each["subtitles"] for each in outcome.results["publish"]["outputs"]]
    assert told.count("webvtt eng") == 2
    master = m3u8.load(str(out / "a/master.m3u8"))
    texts = [each for each in master.media if each.type == "SUBTITLES"]
    assert [(each.name, each.language, each.forced) for each in texts] == [
        ("eng", "en", "NO"), ("eng 2", "en", "YES"),
    ]  # fmt: skip
    assert [each.stream_info.subtitles for each in master.playlists] == ["text"]
    picture = m3u8.load(str(out / "a" / master.playlists[0].uri))
    playlist = m3u8.load(str(out / "a" / texts[0].uri))
    assert [each.duration for each in playlist.segments] == [
        each.duration for each in picture.segments
    ]
    files = [out / "a/text/0" / each.uri for each in playlist.segments]
    shown = dict.fromkeys(cue for file in files for cue in read(file.read_text()))
    assert list(shown) == CUES
    assert read((out / "a/text/0/all.vtt").read_text()) == CUES
    if packaging.dash:
        root = ET.parse(out / "a/manifest.mpd").getroot()  # noqa: S314  # the product made it
        named = [each.text for each in root.iterfind(".//BaseURL", DASH)]
        assert named == ["text/0/all.vtt", "text/1/all.vtt"]


def test_no_two_tracks_have_one_name() -> None:
    titles = ("Eng 2", "Eng", "Eng", None, None)
    names = names_of([TrackLabels(title=title) for title in titles], "sound")
    assert names == ["Eng 2", "Eng", "Eng 3", "sound", "sound 5"]
