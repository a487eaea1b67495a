"""Recordings of broadcasts begin and break anywhere: what can be shown is, with its sound."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.exact import frames_of, run_in_chunks
from tests.media.pipeline import assert_published, encodes_of, run_job, spec
from tests.media.playing import play

SECONDS = 6
FLASH = 4
PICTURE = (
    f"testsrc2=size=160x90:rate=25:duration={SECONDS},drawbox=t=fill:color=black,"
    f"drawbox=t=fill:color=white:enable='between(t,{FLASH},{FLASH}.15)'"
)
BEEP = f"aevalsrc='sin(2000*PI*t)*between(t,{FLASH},{FLASH}.2)':s=48000:d={SECONDS}"
PACKET = 188
"""Bytes, of a transport stream."""

Record = Callable[..., Path]


@pytest.fixture
def record(ffmpeg: str, tmp_path: Path) -> Record:
    """A transport stream in which a flash and a beep come together."""

    def make(name: str, *words: str) -> Path:
        path = tmp_path / name
        sources = ("-f", "lavfi", "-i", PICTURE, "-f", "lavfi", "-i", BEEP)
        x264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", "25", "-pix_fmt", "yuv420p")
        run(ffmpeg, "-v", "error", *sources, *x264, "-c:a", "mp2", *words, path)
        return path

    return make


def _tune_in(whole: Path, share: float) -> Path:
    """What is left of a recording when it begins at that share of its bytes."""
    data, path = whole.read_bytes(), whole.with_name(f"late-{whole.name}")
    path.write_bytes(data[: 3 * PACKET] + data[int(len(data) * share) // PACKET * PACKET :])
    return path


@pytest.mark.parametrize(
    "coding",
    [
        ("-x264-params", "open-gop=1:bframes=3"),
        ("-c:v", "libx265", "-x265-params", "open-gop=1:keyint=25:bframes=4:log-level=none"),
        ("-c:v", "mpeg2video", "-bf", "2"),
    ],
    ids=["h264", "hevc", "mpeg2video"],
)
async def test_sound_stays_with_the_picture_where_the_first_frames_cannot_be_decoded(
    coding: tuple[str, ...], record: Record, toolbox: Toolbox, out: Path, ffmpeg: str
) -> None:
    clip, target = _tune_in(record("whole.ts", *coding), 0.3), out / "a.mp4"
    outcome = await run_job(spec(clip, target), toolbox)
    assert_published(outcome, target)
    assert "begins between keyframes" in " ".join(outcome.warnings)
    source, made = play(ffmpeg, clip, out), play(ffmpeg, target, out)
    assert len(made.times) == len(source.times)
    assert source.flash is not None
    assert made.flash == pytest.approx(source.flash, abs=0.001)
    assert made.beep == pytest.approx(made.flash, abs=0.01)


async def test_a_recording_that_begins_between_keyframes_is_the_same_in_chunks(
    record: Record, toolbox: Toolbox, out: Path
) -> None:
    clip = _tune_in(record("whole.ts", "-x264-params", "open-gop=1:bframes=3"), 0.3)
    whole = await run_in_chunks(clip, out / "1.mp4", 1, toolbox)
    parted = await run_in_chunks(clip, out / "3.mp4", 3, toolbox)
    assert_published(whole, out / "1.mp4")
    assert_published(parted, out / "3.mp4")
    assert not parted.replans
    assert len(encodes_of(parted)) == 3
    assert frames_of(out / "3.mp4") == frames_of(out / "1.mp4")


@pytest.mark.parametrize("later", ["0", "3600"], ids=["same", "back"])
async def test_recordings_that_were_put_one_after_another_are_shown_so(
    later: str, record: Record, toolbox: Toolbox, out: Path, ffmpeg: str
) -> None:
    first, second = record("first.ts", "-output_ts_offset", later), record("second.ts")
    clip, target = first.with_name("both.ts"), out / "a.mp4"
    clip.write_bytes(first.read_bytes() + second.read_bytes())
    outcome = await run_job(spec(clip, target), toolbox)
    assert_published(outcome, target)
    assert "clock starts anew" in " ".join(outcome.warnings)
    again = out / "part.mp4"
    part = await run_job(
        spec(clip, again).model_copy(update={"trim": Trim(start=SECONDS + 1)}), toolbox, job="part"
    )
    assert_published(part, again)
    for made, flash in ((play(ffmpeg, target, out), FLASH), (play(ffmpeg, again, out), FLASH - 1)):
        assert made.flash == pytest.approx(flash, abs=0.001)
        assert made.beep == pytest.approx(flash, abs=0.01)
    times = [time for time, _ in frames_of(target)]
    assert times == [Fraction(number, 25) for number in range(2 * SECONDS * 25)]


async def test_a_recording_that_goes_on_with_the_clock_of_the_one_before_is_no_damage(
    record: Record, toolbox: Toolbox, out: Path, ffmpeg: str
) -> None:
    first, second = record("first.ts"), record("second.ts", "-output_ts_offset", str(SECONDS))
    clip = first.with_name("both.ts")
    clip.write_bytes(first.read_bytes() + second.read_bytes())
    whole = await run_in_chunks(clip, out / "1.mp4", 1, toolbox)
    parted = await run_in_chunks(clip, out / "3.mp4", 3, toolbox)
    assert_published(whole, out / "1.mp4")
    assert_published(parted, out / "3.mp4")
    assert not parted.replans
    assert "damaged" not in " ".join((*whole.warnings, *parted.warnings))
    assert frames_of(out / "3.mp4") == frames_of(out / "1.mp4")
    part = spec(clip, out / "part.mp4").model_copy(update={"trim": Trim(start=SECONDS + 1)})
    assert_published(await run_job(part, toolbox, job="part"), out / "part.mp4")
    made = play(ffmpeg, out / "part.mp4", out)
    assert made.beep == pytest.approx(made.flash, abs=0.01)


async def test_fields_of_another_size_are_scaled_before_they_are_joined(
    record: Record, toolbox: Toolbox, out: Path
) -> None:
    fields = ("-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ilme+ildct")
    coding = ("-c:v", "mpeg2video", "-g", "12", *fields)
    first = record("first.ts", *coding)
    second = record("second.ts", *coding, "-s", "240x136", "-output_ts_offset", f"{SECONDS}")
    clip = first.with_name("both.ts")
    clip.write_bytes(first.read_bytes() + second.read_bytes())
    whole = await run_in_chunks(clip, out / "1.mp4", 1, toolbox)
    parted = await run_in_chunks(clip, out / "2.mp4", 2, toolbox)
    assert_published(whole, out / "1.mp4")
    assert_published(parted, out / "2.mp4")
    assert frames_of(out / "2.mp4") == frames_of(out / "1.mp4")
    assert len(frames_of(out / "1.mp4")) > 1.9 * SECONDS * 12


def _with_pulldown(data: bytearray) -> bytes:
    """An MPEG-2 stream of films on DVD: of every other picture one field is to be shown twice
    (ISO/IEC 13818-2, 6.2.2.3 and 6.2.3.1: progressive_sequence, top_field_first,
    repeat_first_field)."""
    place, pictures = data.find(b"\0\0\1\xb5"), 0
    while place >= 0:
        begin, kind = place + 4, data[place + 4] >> 4
        if kind == 1:
            data[begin + 1] &= ~0x08
        elif kind == 8:
            data[begin + 3] = data[begin + 3] & ~0x82 | (0x82, 0x00, 0x02, 0x80)[pictures % 4]
            data[begin + 4] |= 0x80
            pictures += 1
        place = data.find(b"\0\0\1\xb5", begin)
    return bytes(data)


async def test_a_film_on_dvd_repeats_fields(
    record: Record, toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    coding = ("-c:v", "mpeg2video", "-bf", "2", "-g", "12", "-an", "-r", "30000/1001")
    stream = record("film.m2v", "-t", "3", *coding)
    stream.write_bytes(_with_pulldown(bytearray(stream.read_bytes())))
    clip = tmp_path / "film.vob"
    run(ffmpeg, "-v", "error", "-i", stream, "-c", "copy", clip)
    source = play(ffmpeg, clip, tmp_path)
    assert len({after - before for before, after in pairwise(source.times)}) > 2
    for chunks in (1, 3):
        target = out / f"{chunks}.mp4"
        outcome = await run_job(
            spec(clip, target).model_copy(update={"chunks": chunks}), toolbox, job=f"film{chunks}"
        )
        assert_published(outcome, target)
        made = play(ffmpeg, target, out)
        assert [float(time) for time in made.times] == pytest.approx(
            [float(time) for time in source.times], abs=1e-4
        )
