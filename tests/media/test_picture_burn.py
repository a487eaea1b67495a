"""Subtitles that are burned in are seen when they should be, and nothing else of the picture is
changed, however a job is cut."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ffrtmp_ray.cluster.admission import admit
from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.media import fonts
from ffrtmp_ray.media.encode.burn import fonts_config
from ffrtmp_ray.media.encode.video import video_argv
from ffrtmp_ray.media.encode.work import Burned, OutputWork, VideoWork
from ffrtmp_ray.media.spec import Codec, Copying, JobSpec, Ladder, Measure, Subtitles
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.pipeline import assert_published, encodes_of, failure_of, rendition, run_job, spec

ENGLISH = """1
00:00:00,400 --> 00:00:01,200
first line

2
00:00:00,800 --> 00:00:01,600
<i>second</i> line

3
00:00:02,400 --> 00:00:02,600
{\\an8}<font color="#ff0000">third</font>
"""
SHOWN = [*range(10, 40), *range(60, 65)]
"""Frames with text, at 25 a second."""
FRENCH = "1\n00:00:01,000 --> 00:00:02,000\nquatrième\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """A grey film of four seconds that starts at two, with text in two languages."""
    path = tmp_path_factory.mktemp("burn")
    (path / "english.srt").write_text(ENGLISH)
    (path / "french.srt").write_text(FRENCH)
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=0x404040:size=320x180:duration=4"),
        *("-i", path / "english.srt", "-i", path / "french.srt", "-map", "0", "-map", "1"),
        *(
            "-map",
            "2",
            "-c:v",
            "libx264",
            "-crf",
            "4",
            "-g",
            "12",
            "-pix_fmt",
            "yuv420p",
            "-c:s",
            "srt",
        ),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fre"),
        *("-output_ts_offset", "2", path / "film.mkv"),
    )
    return path


def burning(clip: Path, target: Path, burn: Burn, **fields: Any) -> JobSpec:
    """`fields` are the job's."""
    lossless = rendition(crf=0)
    return spec(clip, target, lossless).model_copy(update={"burn": burn, **fields})


def luma(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray()[: f.height].astype(int) for f in container.decode(video=0)]


def changed(pictures: Sequence[np.ndarray]) -> list[int]:
    """The frames of a grey film that show more than grey."""
    return [number for number, picture in enumerate(pictures) if np.ptp(picture) > 40]


def _clock(ms: int) -> str:
    return f"00:00:{ms // 1000:02},{ms % 1000:03}"


def rows(picture: np.ndarray) -> tuple[int, int]:
    """The first and the last in which there is more than grey."""
    found = np.nonzero(np.ptp(picture, axis=1) > 20)[0]
    return int(found[0]), int(found[-1])


async def test_text_is_seen_in_its_frames_and_at_its_place_however_the_job_is_cut(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    """And all pixels of all frames are those of the job that is not cut."""
    for chunks in (1, 3):
        target = out / f"{chunks}.mp4"
        wanted = burning(folder / "film.mkv", target, Burn(), chunks=chunks)
        outcome = await run_job(wanted, toolbox, job=f"job{chunks}")
        assert_published(outcome, target)
        assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
        assert "subtitles are left out (1)" in outcome.warnings
    pictures = luma(out / "1.mp4")
    assert changed(pictures) == SHOWN
    assert rows(pictures[10])[0] > 150  # one line at the bottom
    assert 140 < rows(pictures[25])[0] < 160  # two of them
    assert rows(pictures[60])[1] < 30  # at the top
    assert frames_of(out / "1.mp4") == frames_of(out / "3.mp4")


@pytest.mark.parametrize("clip", ["vfr-long.mkv", "negative.ts"])
async def test_chunks_of_awkward_films_with_text_equal_the_whole(
    clip: str, clips: Clips, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """With a cue that is shown at each border, and cues that begin between frames."""
    file = tmp_path / "text.srt"
    cues = ((begin, begin + 90) for begin in range(0, 4000, 37))
    lines = (f"1\n{_clock(begin)} --> {_clock(end)}\nat {begin}\n" for begin, end in cues)
    file.write_text("\n".join(lines))
    for chunks in (1, 3):
        wanted = burning(clips(clip), out / f"{chunks}.mp4", Burn(file=str(file)), chunks=chunks)
        outcome = await run_job(wanted, toolbox, job=f"job{chunks}")
        assert_published(outcome, out / f"{chunks}.mp4")
        assert (len(encodes_of(outcome)), outcome.replans) == (chunks, [])
    assert frames_of(out / "1.mp4") == frames_of(out / "3.mp4")


async def test_a_trim_takes_the_text_that_belongs_to_it(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    trim = Trim(start=1.2, duration=1.32)
    wanted = burning(folder / "film.mkv", out / "a.mp4", Burn(), trim=trim, chunks=2)
    assert_published(await run_job(wanted, toolbox), out / "a.mp4")
    assert changed(luma(out / "a.mp4")) == [n - 30 for n in SHOWN if 30 <= n < 63]


async def test_a_language_is_found_by_either_of_its_codes(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    wanted = burning(folder / "film.mkv", out / "a.mp4", Burn(language="fra"))
    assert_published(await run_job(wanted, toolbox), out / "a.mp4")
    assert changed(luma(out / "a.mp4")) == list(range(25, 50))


@pytest.mark.parametrize("name", ["it's [a], b:c;d.srt", "text.vtt", "styled.ass"])
async def test_a_file_counts_from_the_films_first_frame(
    name: str, folder: Path, ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    run(ffmpeg, "-v", "error", "-i", folder / "french.srt", tmp_path / name)
    burn = Burn(file=str(tmp_path / name))
    outcome = await run_job(burning(folder / "film.mkv", out / "a.mp4", burn), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert changed(luma(out / "a.mp4")) == list(range(25, 50))


async def test_a_workspace_may_have_any_name(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """The text is found by encodes, and by comparisons with what they were given."""
    workspace = tmp_path / "it's, [b]: 1;%d \\ work"
    settings = toolbox.settings.model_copy(update={"workspace": workspace})
    other = Toolbox(settings, toolbox.ffmpeg)
    other.start()
    wanted = spec(folder / "film.mkv", out / "a.mp4", rendition(crf=4)).model_copy(
        update={"burn": Burn(), "quality": (Measure.PSNR,), "chunks": 2}
    )
    outcome = await run_job(wanted, other)
    other.close()
    assert_published(outcome, out / "a.mp4")
    assert changed(luma(out / "a.mp4")) == SHOWN
    (view,) = outcome.results["finish"]["quality"]
    assert view["percentile_1"] > 45


async def test_all_renditions_of_a_package_have_the_same_text(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    """And of two languages, the one that is burned in is not offered beside it."""
    ladder = Ladder(
        renditions=(rendition("a", crf=10), rendition("b", crf=10, height=90)),
        audio=None,
        subtitles=Subtitles(),
        packaging=Packaging.model_validate({"hls": "fmp4", "segment_seconds": 2}),
    )
    job = JobSpec(
        input=str(folder / "film.mkv"),
        output=str(out / "hls"),
        ladder=ladder,
        burn=Burn(),
        chunks=2,
    )
    outcome = await run_job(job, toolbox)
    assert "publish" in outcome.ended, outcome.last
    for name in ("a", "b"):
        assert changed(luma(out / "hls" / "video" / name / "index.m3u8")) == SHOWN
    master = (out / "hls" / "master.m3u8").read_text()
    assert master.count("TYPE=SUBTITLES") == 1


async def test_a_rendition_with_text_is_no_copy(folder: Path, toolbox: Toolbox, out: Path) -> None:
    copied = rendition(copying=Copying.ALLOWED, max_bitrate=50_000_000)
    wanted = spec(folder / "film.mkv", out / "a.mp4", copied)
    outcome = await run_job(wanted.model_copy(update={"burn": Burn()}), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert "encode0" in outcome.ended


async def test_chunks_of_one_text_are_not_taken_for_those_of_another(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    file = tmp_path / "text.srt"
    reused = []
    for job, said in (("a", "one"), ("b", "one"), ("c", "two")):
        file.write_text(FRENCH.replace("quatrième", said))
        burn = Burn(file=str(file))
        wanted = burning(folder / "film.mkv", out / f"{job}.mp4", burn, chunks=2)
        outcome = await run_job(wanted, toolbox, job=job)
        reused.append(outcome.results["encode0"]["reused"])
    assert reused == [[], ["a"], []]


async def test_text_that_is_never_shown_changes_nothing_and_that_is_said(
    folder: Path, toolbox: Toolbox, out: Path
) -> None:
    wanted = burning(folder / "film.mkv", out / "a.mp4", Burn(), trim=Trim(start=3))
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, out / "a.mp4")
    assert changed(luma(out / "a.mp4")) == []
    said = "no subtitles are burned in: none are shown while the picture is"
    assert outcome.results["burn"]["warnings"] == [said]


@pytest.mark.parametrize(
    ("burn", "reason"),
    [
        (
            Burn(language="jpn"),
            "burn.language: the source has no subtitles in jpn "
            "(it has 1: subrip eng, 2: subrip fra)",
        ),
        (
            Burn(track=3),
            "burn.track: the source has no subtitles with number 3 "
            "(it has 1: subrip eng, 2: subrip fra)",
        ),
    ],
)
async def test_text_that_the_source_does_not_have_is_refused(
    burn: Burn, reason: str, folder: Path, toolbox: Toolbox, out: Path
) -> None:
    outcome = await run_job(burning(folder / "film.mkv", out / "a.mp4", burn), toolbox)
    assert failure_of(outcome.last) == (FailureKind.UNSUPPORTED, reason)


async def test_a_file_in_another_encoding_is_refused(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    file = tmp_path / "text.srt"
    file.write_bytes(FRENCH.encode("latin-1"))
    outcome = await run_job(
        burning(folder / "film.mkv", out / "a.mp4", Burn(file=str(file))), toolbox
    )
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.BAD_INPUT
    assert reason == "burn.file: text.srt is not UTF-8 (save it in that encoding)"


async def test_letters_that_no_font_has_are_refused_and_signs_are_left_out(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    file = tmp_path / "text.srt"
    wanted = burning(folder / "film.mkv", out / "a.mp4", Burn(file=str(file)))
    file.write_text(FRENCH.replace("quatrième", "日本"))
    kind, reason = failure_of((await run_job(wanted, toolbox)).last)
    assert kind is FailureKind.BAD_INPUT
    assert reason.startswith("burn: no font of the farm has 日, 本 (set FFRTMP_FONTS_DIR")
    file.write_text(FRENCH.replace("quatrième", "la ♪ la"))
    outcome = await run_job(wanted, toolbox, up_to="burn")
    said = ["left out of what is burned in, for no font has it: ♪"]
    assert outcome.results["burn"]["warnings"] == said


async def test_what_fonts_the_machine_has_makes_no_difference(
    folder: Path, ffmpeg: str, tmp_path: Path
) -> None:
    """Of letters that the farm's font does not have, all look alike."""
    config = tmp_path / "fonts.conf"
    config.write_text(fonts_config([str(fonts.OWN)], str(tmp_path / "cache")))
    seen = []
    for letter in "აԱ":
        (tmp_path / "text.srt").write_text(FRENCH.replace("quatrième", letter))
        burned = Burned(
            path=str(tmp_path / "text.srt"),
            sha256="",
            fonts=str(fonts.OWN),
            width=320,
            height=180,
        )
        work = VideoWork(
            stream=0,
            frame_rate=25,
            timescale=12800,
            outputs=(OutputWork(rendition=rendition(crf=0), width=320, height=180),),
            burned=burned,
        )
        made = tmp_path / f"{ord(letter)}.mp4"
        argv = video_argv(
            ffmpeg, str(folder / "film.mkv"), work, outputs={"a": str(made)}, cpus=1, gpu=None
        )
        run("env", f"FONTCONFIG_FILE={config}", *argv)
        seen.append(frames_of(made))
    assert seen[0] == seen[1]


async def _with_and_without(
    text: str, wanted: JobSpec, toolbox: Toolbox, folder: Path
) -> tuple[np.ndarray, np.ndarray]:
    """The first picture of a job with that text all the time, and of the same job without."""
    file = folder / "text.srt"
    file.write_text(f"1\n00:00:00,000 --> 00:00:09,000\n{text}\n")
    pictures = []
    for job, burn in (("with", Burn(file=str(file))), ("without", None)):
        target = Path(wanted.output).with_name(f"{job}.mp4")
        each = wanted.model_copy(update={"burn": burn, "output": str(target)})
        assert_published(await run_job(each, toolbox, job=job), target)
        pictures.append(luma(target)[0])
    return pictures[0], pictures[1]


@pytest.mark.parametrize(
    ("clip", "across"), [("anamorphic.mp4", 40), ("rotated.mp4", 30), ("interlaced.ts", 40)]
)
async def test_text_is_upright_and_not_stretched_on_any_picture(
    clip: str, across: int, clips: Clips, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """Forty columns of 180 lines; on an upright picture, by which lines have as many words."""
    job = spec(clips(clip), out / "a.mp4", rendition(crf=0))
    there, without = await _with_and_without("HHHHHHHH", job, toolbox, tmp_path)
    rows, columns = np.nonzero(np.abs(there - without) > 8)
    height, width = there.shape
    assert rows.min() > height * 0.85
    middle = (int(columns.min()) + int(columns.max())) / 2
    assert middle == pytest.approx(width / 2, abs=width / 40)
    assert np.ptp(columns) + 1 == pytest.approx(across, abs=3)


async def test_on_hdr_its_white_is_that_of_paper(
    clips: Clips, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    wanted = spec(clips("hdr.mkv"), out / "a.mp4", rendition(codec=Codec.HEVC, crf=4))
    there, without = await _with_and_without("<b>WWWWWWWW</b>", wanted, toolbox, tmp_path)
    brightest = there[there - without > 100].max()  # elsewhere its edge darkens the picture
    assert 480 < brightest < 573 + 20  # 203 cd/m² in PQ: 0.581 of 64 to 940


def test_a_file_that_may_not_be_read_is_refused_at_submission(
    folder: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    roots = toolbox.settings.model_copy(update={"input_roots": (folder,)})
    (tmp_path / "secret.srt").write_text(FRENCH)
    for file, why in (("secret.srt", "lies outside the folders"), ("none.srt", "there is no file")):
        burn = Burn(file=str(tmp_path / file))
        with pytest.raises(InputRefused, match=why) as refused:
            admit(burning(folder / "film.mkv", out / "a.mp4", burn), roots)
        assert refused.value.where == "burn.file"
