"""Subtitles that are bitmaps are burned in when they are shown, wherever a job is cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.bitmaps.canvas import placed, said_in, said_once
from ffrtmp_ray.media.bitmaps.draw import draw
from ffrtmp_ray.media.bitmaps.segments import PGS
from ffrtmp_ray.media.bitmaps.timeline import Change, Shown, changes, frames
from ffrtmp_ray.media.bitmaps.work import Drawn, DrawWork
from ffrtmp_ray.media.encode.work import Box
from ffrtmp_ray.media.plan import first_task
from ffrtmp_ray.media.plan.burn import burn_tasks
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.payloads import InputFile, PlanPayload
from ffrtmp_ray.media.plan.texts import text_warnings
from ffrtmp_ray.media.probe.open import Refusal
from ffrtmp_ray.media.probe.source import BitmapStream, TextStream
from ffrtmp_ray.media.spec import Codec, Container, Measure, Subtitles
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.spec.watermark import Watermark
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.settings import Settings
from tests.clips import Clips
from tests.media.encoding import run
from tests.media.exact import frames_of
from tests.media.pgs import Screen, sup_of
from tests.media.pipeline import (
    assert_published,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    spec,
    tasks_of,
)
from tests.media.planning import ladder_of, source_with

FADED = (235, 128, 128, 128)
SCREENS = (
    Screen(0, shown=False),  # or the film would begin with the first that is shown
    Screen(0.4, place=(40, 140)),
    Screen(1.2, color=FADED, place=(40, 140), palette_alone=True),
    Screen(1.6, shown=False),
    Screen(2.4, place=(100, 20), forced=True),
    Screen(2.8, place=(200, 20)),
)
"""The last is never ended."""
SHOWN = [*range(10, 40), *range(60, 100)]
"""Frames with something of that, at 25 a second."""


def film(
    ffmpeg: str,
    path: Path,
    screens: Iterable[Screen] = SCREENS,
    *,
    codec: str = "copy",
    screen: tuple[int, int] = (320, 180),
    size: str = "320x180",
    picture: Sequence[str] = (),
) -> Path:
    """A grey one of four seconds, that starts at two; `picture` are options of its encoder."""
    subtitles = path.with_suffix(".sup")
    subtitles.write_bytes(sup_of(screens, size=screen))
    ends = ("-fix_sub_duration",) if codec != "copy" else ()  # PGS does not say them
    encoder = picture or ("-c:v", "libx264", "-crf", "4", "-g", "12", "-pix_fmt", "yuv420p")
    grey = ("-f", "lavfi", "-i", f"color=0x404040:size={size}:duration=4")
    tracks = (*ends, "-i", subtitles, "-map", "0", "-map", "1", *encoder, "-c:s", codec)
    named = ("-metadata:s:s:0", "language=eng", "-output_ts_offset", "2", path)
    run(ffmpeg, "-v", "error", *grey, *tracks, *named)
    return path


async def burned(
    clip: Path, target: Path, toolbox: Toolbox, burn: Burn | None = None, **fields: Any
) -> list[np.ndarray]:
    """The pictures of a job that burns in the clip's subtitles; `fields` are the job's."""
    job = spec(clip, target, rendition(crf=0), audio=None).model_copy(
        update={"burn": burn or Burn(), **fields}
    )
    outcome = await run_job(job, toolbox, job=target.stem)
    assert_published(outcome, target)
    assert (outcome.replans, len(encodes_of(outcome))) == ([], fields.get("chunks", 1))
    return luma(target)


def luma(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [f.to_ndarray()[: f.height].astype(int) for f in container.decode(video=0)]


def changed(pictures: Sequence[np.ndarray]) -> list[int]:
    """The frames of a grey film that show more than grey."""
    return [number for number, picture in enumerate(pictures) if np.ptp(picture) > 40]


async def test_they_are_seen_in_their_frames_however_the_job_is_cut(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """With a change of colour alone, one that follows another at once, and one that never ends."""
    clip = film(ffmpeg, tmp_path / "film.mkv")
    pictures = await burned(clip, out / "1.mp4", toolbox)
    for chunks in (3, 7):
        await burned(clip, out / f"{chunks}.mp4", toolbox, chunks=chunks)
    assert changed(pictures) == SHOWN
    white, faded = pictures[20][142:146, 44:52], pictures[32][142:146, 44:52]
    assert white.min() > 225
    assert 130 < faded.min() <= faded.max() < 160
    assert pictures[65][22:26, 104:112].min() > 225
    assert np.ptp(pictures[75][:, :190]) < 20
    assert pictures[75][22:26, 204:212].min() > 225
    assert frames_of(out / "1.mp4") == frames_of(out / "3.mp4") == frames_of(out / "7.mp4")


async def test_a_trim_begins_with_what_is_on_by_then(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip = film(ffmpeg, tmp_path / "film.mkv")
    trim = Trim(start=1.4, duration=1.2)
    pictures = await burned(clip, out / "a.mp4", toolbox, Burn(track=1), trim=trim)
    assert changed(pictures) == [n - 35 for n in SHOWN if 35 <= n < 65]


async def test_quality_is_measured_against_the_picture_with_them(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """In every rendition of a ladder, under a watermark's place in the graph."""
    image = tmp_path / "mark.png"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "color=red:size=8x8", "-frames:v", "1", image)
    ladder = (rendition("a", crf=4), rendition("b", crf=4, height=90))
    job = spec(film(ffmpeg, tmp_path / "film.mkv"), out / "f", *ladder, audio=None).model_copy(
        update={
            "burn": Burn(language="eng"),
            "quality": (Measure.PSNR,),
            "chunks": 2,
            "watermark": Watermark(image=str(image)),
        }
    )
    outcome = await run_job(job, toolbox)
    assert_published(outcome, out / "f" / "a.mp4", out / "f" / "b.mp4")
    assert not outcome.warnings
    for view in outcome.results["finish"]["quality"]:
        assert view["percentile_1"] > (45 if view["rendition"] == "a" else 25)
    assert luma(out / "f" / "b.mp4")[20][71:73, 22:26].min() > 200


async def test_on_hdr_their_white_is_that_of_paper(
    clips: Clips, ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, subtitles = tmp_path / "hdr.mkv", tmp_path / "a.sup"
    with av.open(str(clips("hdr.mkv"))) as source:
        size = source.streams.video[0].width, source.streams.video[0].height
    subtitles.write_bytes(sup_of([Screen(0, place=(40, 40), box=(60, 60))], size=size))
    run(ffmpeg, "-v", "error", "-i", clips("hdr.mkv"), "-i", subtitles, "-c", "copy",
        *("-map", "0:v", "-map", "1", clip))  # fmt: skip
    job = spec(clip, out / "a.mp4", rendition(codec=Codec.HEVC, crf=4), audio=None)
    outcome = await run_job(job.model_copy(update={"burn": Burn()}), toolbox)
    assert_published(outcome, out / "a.mp4")
    assert luma(out / "a.mp4")[0][50:90, 50:90].mean() == pytest.approx(573, abs=8)  # 0.581 in PQ


async def test_those_of_the_job_that_are_burned_in_are_no_tracks(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """Nor is it said that they are left out."""
    job = spec(film(ffmpeg, tmp_path / "film.mkv"), out / "a.mp4", subtitles=Subtitles())
    tasks = await tasks_of(job.model_copy(update={"burn": Burn()}), toolbox)
    assert list(tasks) == ["burn", "plan-burned"]
    source = source_with(subtitles=1).model_copy(
        update={"bitmaps": (BitmapStream(index=1, codec="hdmv_pgs_subtitle", language=None),)}
    )
    kind = OutputKind(folder=False, container=Container.MP4)
    ladder = ladder_of(subtitles=Subtitles())
    assert not list(text_warnings(ladder, source, kind, burned=1))
    assert list(text_warnings(ladder, source, kind))


# ------------------------------------------------------------------------- the film that is made


def drawn(clip: Path, tmp_path: Path, **asked: Any) -> Drawn:
    with av.open(str(clip)) as container:
        video, stream = container.streams.video[0], container.streams.subtitles[0]
        start = video.start_time * video.time_base
        work = {
            "address": str(clip),
            "stream": stream.index,
            "picture_start": start,
            "length": Fraction(4),
            "timescale": 90_000,
            "width": 320,
            "height": 180,
            "aspect": Fraction(1),
            "film": str(tmp_path / "film.mov"),
            "answer": "",
        }
    return draw(DrawWork.model_validate({**work, **asked}))


def film_of(tmp_path: Path) -> list[tuple[float, int]]:
    """When each frame but the last begins, which is there to end the one before it, and how opaque
    it is."""
    with av.open(str(tmp_path / "film.mov")) as container:
        frames = [
            (round(float(frame.pts * frame.time_base), 3), int(frame.to_ndarray()[..., 3].max()))
            for frame in container.decode(video=0)
        ]
    return frames[:-1]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.m2ts", "copy"),
        ("a.mkv", "dvdsub"),
        ("a.mp4", "dvdsub"),
        ("a.vob", "dvdsub"),
        ("a.mkv", "dvbsub"),
        ("a.ts", "dvbsub"),
        ("a.avi", "xsub"),
    ],
)
def test_it_shows_what_its_packets_say_when_they_say_it(
    name: str, codec: str, ffmpeg: str, tmp_path: Path
) -> None:
    """From whatever container, and of whatever kind."""
    screens = [Screen(0, shown=False), Screen(0.4, place=(40, 140)), Screen(1.6, shown=False)]
    screens += [Screen(2.4, place=(100, 20)), Screen(2.8, shown=False)]
    picture = ("-c:v", "mpeg2video") if name == "a.vob" else ()
    clip = film(ffmpeg, tmp_path / name, screens, codec=codec, picture=picture)
    found = drawn(clip, tmp_path)
    assert found.box == Box(x=40, y=20, width=76, height=128)
    times, opaque = zip(*film_of(tmp_path), strict=True)
    slack = 0.1 if codec == "xsub" else 0.013  # of what these can say of their ends
    assert times == pytest.approx([0, 0.4, 1.6, 2.4, 2.8], abs=slack)
    assert opaque == (0, 255, 0, 255, 0)


def test_those_that_are_forced_can_be_had_alone(ffmpeg: str, tmp_path: Path) -> None:
    drawn(film(ffmpeg, tmp_path / "film.mkv"), tmp_path, forced=True)
    assert film_of(tmp_path) == [(0, 0), (2.4, 255), (2.8, 0)]


def test_a_cue_that_says_no_end_is_shown_until_the_next(ffmpeg: str, tmp_path: Path) -> None:
    drawn(film(ffmpeg, tmp_path / "film.mkv"), tmp_path, length=Fraction(60))
    assert film_of(tmp_path) == [(0, 0), (0.4, 255), (1.2, 128), (1.6, 0), (2.4, 255), (2.8, 255)]


def test_a_screen_is_scaled_to_the_picture(ffmpeg: str, tmp_path: Path) -> None:
    """Twice as large, and with bars that the picture has lost."""
    screens = [Screen(0.4, place=(100, 200), box=(60, 60))]
    clip = film(ffmpeg, tmp_path / "film.mkv", screens, screen=(640, 480))
    assert drawn(clip, tmp_path).box == Box(x=78, y=74, width=22, height=24)
    with av.open(str(tmp_path / "film.mov")) as container:
        frame = next(container.decode(video=0)).to_ndarray()
    inside = frame[3:20, 3:18]
    assert inside.min() == 255
    assert frame[..., 3].min() == 0


@pytest.mark.parametrize(
    ("limit", "most", "reason"),
    [
        ("MOST_PIXELS", 5000, "are drawn for a screen of 320x180"),
        ("MOST_CHANGES", 3, "change more than 3 times"),
        ("MOST_BYTES", 10, "are more than 10 bytes of pictures"),
    ],
)
def test_what_is_more_than_is_allowed_is_refused(
    limit: str, most: int, reason: str, ffmpeg: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = film(ffmpeg, tmp_path / "film.mkv")
    monkeypatch.setattr(f"ffrtmp_ray.media.bitmaps.draw.{limit}", most)
    with pytest.raises(Refusal, match=f"the subtitles {reason}, which is more") as refused:
        drawn(clip, tmp_path)
    assert refused.value.kind is FailureKind.OVER_LIMIT


async def test_a_track_that_cannot_be_decoded_fails_its_job(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """Who wants them in the picture does not want the picture without them."""
    clip = film(ffmpeg, tmp_path / "film.mkv", codec="dvbsub")
    clip.write_bytes(re.sub(b"\x0f([\x10\x14]\x00\x01)", b"\x00\\1", clip.read_bytes()))
    job = spec(clip, out / "a.mp4", audio=None).model_copy(update={"burn": Burn()})
    outcome = await run_job(job, toolbox)
    assert failure_of(outcome.last) == (
        FailureKind.BAD_INPUT, "nothing of the subtitles can be decoded",
    )  # fmt: skip


# ------------------------------------------------------------------------------ what is decided


def _shown(*given: tuple[float, float | None, str | None]) -> list[tuple[int, str | None]]:
    screens = (
        Shown(Fraction(start), None if end is None else Fraction(end), image)
        for start, end, image in given
    )
    found = changes(screens, Fraction(10), Fraction(5), 10)
    return [(change.tick, change.image) for change in found]


def test_what_is_on_when_the_picture_begins_is_on_its_first_frame() -> None:
    assert _shown((8, None, "a"), (9, 20, "b"), (11, None, None)) == [(0, "b"), (10, None)]
    assert _shown((8, 9, "a"), (11, None, "b")) == [(0, None), (10, "b")]


def test_an_end_counts_until_the_next_begins() -> None:
    assert _shown((10, 13, "a"), (12, 12.5, "b")) == [(0, "a"), (20, "b"), (25, None)]
    assert _shown((10, 11, "a"), (11, 12, "a")) == [(0, "a"), (20, None)]


def test_what_comes_behind_the_picture_is_no_change() -> None:
    assert _shown((11, 99, "a"), (15, None, "b")) == [(0, None), (10, "a")]
    assert _shown() == [(0, None)]


def test_no_frame_of_the_film_is_longer_than_a_container_can_say() -> None:
    found = list(frames([Change(0, None), Change(25, "a")], 50, 10))
    assert [change.tick for change in found] == [0, 10, 20, 25, 35, 45, 50]
    assert [change.image for change in found] == [None] * 3 + ["a"] * 4


@pytest.mark.parametrize(
    ("codec", "picture", "aspect", "expected"),
    [
        (PGS, (1920, 1080), 1, (1, 1, 0, 0)),
        (PGS, (1920, 800), 1, (Fraction(20, 27), Fraction(20, 27), Fraction(2240, 9), 0)),
        (PGS, (1440, 1080), 1, (Fraction(3, 4), Fraction(3, 4), 0, 135)),
        (PGS, (1440, 1080), Fraction(4, 3), (Fraction(3, 4), 1, 0, 0)),
        ("dvd_subtitle", (1440, 1080), Fraction(4, 3), (Fraction(3, 4), 1, 0, 0)),
        ("dvb_subtitle", (1920, 540), 1, (1, Fraction(1, 2), 0, 0)),
    ],
)
def test_a_screen_keeps_its_shape_where_its_pixels_are_square(
    codec: str, picture: tuple[int, int], aspect: Fraction, expected: tuple[Fraction, ...]
) -> None:
    place = placed(codec, (1920, 1080), picture, Fraction(aspect))
    assert (place.across, place.down, place.left, place.top) == expected


def test_the_size_of_a_screen_is_where_each_kind_says_it() -> None:
    assert said_once("dvd_subtitle", b"palette: 0\nsize: 720x480\n") == (720, 480)
    assert said_once("dvd_subtitle", b"") is None
    assert said_once("dvb_subtitle", b"") == (720, 576)
    display = bytes((0x0F, 0x14, 0, 1, 0, 5, 0, 0x07, 0x7F, 0x04, 0x37))
    assert said_in("dvb_subtitle", display) == (1920, 1080)
    assert said_in("dvb_subtitle", b"\x20\x00" + display) == (1920, 1080)
    assert said_in(PGS, bytes((0x16, 0, 4, 0x07, 0x80, 0x04, 0x38))) == (1920, 1080)
    assert said_in(PGS, bytes((0x17, 0, 1, 0))) is None
    assert said_in(PGS, b"\x16\xff") is None


def test_forced_cues_are_those_of_kinds_that_mark_them() -> None:
    """The first of these is taken, whatever else there is."""
    text = TextStream(index=1, codec="subrip", language="eng")
    broadcast = BitmapStream(index=2, codec="dvb_subtitle", language="eng")
    disc = BitmapStream(index=3, codec=PGS, language="fra")
    source = source_with(subtitles=3).model_copy(
        update={"texts": (text,), "bitmaps": (broadcast, disc)}
    )
    file = InputFile(place="/in/a.mkv", bytes=1, version="", fingerprint="")

    def taken(burn: Burn) -> int:
        job = spec(Path("/in/a.mkv"), Path("/out/a.mp4")).model_copy(update={"burn": burn})
        work = PlanPayload.model_validate(first_task(job, Settings()).payload)
        task, _ = burn_tasks(work, source, source.video, file)
        stream = task.payload["stream"]
        assert isinstance(stream, int)
        return stream

    assert taken(Burn(forced=True)) == 3
    assert (taken(Burn()), taken(Burn(language="fra"))) == (1, 3)
    with pytest.raises(InvalidRequest, match="no subtitles in eng that can mark cues") as refused:
        taken(Burn(forced=True, language="eng"))
    assert refused.value.where == "burn.language"
    with pytest.raises(ValueError, match="`forced` is of the source's bitmaps"):
        Burn(forced=True, file="/in/a.srt")
