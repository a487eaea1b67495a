"""A highest bitrate, kept by whole files and across the borders of chunks."""

import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.media.bucket import (
    Bucket,
    bound_for,
    bucket_for,
    densest,
    highest,
    share_kept,
    surely_kept,
)
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.media.steps.bitrate import over
from ffrtmp_ray.media.toolbox import Toolbox
from ffrtmp_ray.views import OutputView
from tests.media.pipeline import assert_published, encodes_of, rendition, run_job, spec

RATE = 150_000


def test_a_whole_file_has_a_buffer_of_two_seconds() -> None:
    assert bucket_for(1000) == Bucket(rate=1000, size=2000, start=None)


def test_the_encoder_of_a_chunk_gets_less_of_everything() -> None:
    assert bucket_for(3000, Fraction(10)) == Bucket(rate=2700, size=4000, start=2000)


@pytest.mark.parametrize("shortest", ["1/25", "1", "3", "4", "7", "60"])
def test_no_row_of_chunks_can_exceed_the_bound(shortest: str) -> None:
    """The worst that buckets allow: a full buffer is spent at the end of one, and each that follows
    spends its start at once and its rate from then on."""
    length, bits = Fraction(shortest), 1_000_000
    each = bound_for(bits, length)
    assert each.start is not None
    worst, steps = [(Fraction(0), each.size)], max(10, int(length * 10))
    for number in range(20):
        worst.append((length * number, each.start))
        worst += [
            (length * (number + Fraction(step, steps)), int(each.rate * length / steps))
            for step in range(1, steps + 1)
        ]
    assert highest(worst, bits) <= 2 * bits
    assert bits * 3 // 4 <= bucket_for(bits, length).rate <= each.rate


def test_the_bucket_leaks_between_pictures_and_never_below_empty() -> None:
    pictures = [(Fraction(0), 100), (Fraction(1), 50), (Fraction(9), 120), (Fraction(10), 10)]
    assert highest(pictures, rate=60) == 120
    assert highest([], rate=60) == 0


def test_a_chunk_that_keeps_its_bound_has_room_for_all_of_its_bits() -> None:
    bound = Bucket(rate=100, size=100, start=60)
    assert share_kept([(Fraction(0), 60), (Fraction(1), 100)], bound) == 1
    assert share_kept([(Fraction(0), 100)], Bucket(rate=100, size=100)) == 1


@pytest.mark.parametrize(
    ("pictures", "share"),
    [
        ([(0, 120)], 0.5),  # its first picture may spend what a decoder has then
        ([(0, 10), (5, 200)], 0.5),  # later ones, the whole buffer
        ([(0, 60), (1, 150), (2, 150)], 0.667),  # and what has been filled in since
    ],
)
def test_how_much_a_chunk_is_over_is_said_as_the_part_that_it_may_have(
    pictures: list[tuple[int, int]], share: float
) -> None:
    timed = [(Fraction(time), bits) for time, bits in pictures]
    kept = share_kept(timed, Bucket(rate=100, size=100, start=60))
    assert kept == pytest.approx(share, abs=0.002)


@given(st.lists(st.integers(0, 200), min_size=1, max_size=60), st.none() | st.integers(0, 400))
def test_what_is_surely_kept_is_kept(sizes: list[int], start: int | None) -> None:
    bound = Bucket(rate=100, size=400, start=start)
    peak = densest(enumerate(sizes), Fraction(1, 4))
    pictures = [(Fraction(number, 4), bits) for number, bits in enumerate(sizes)]
    assert not surely_kept(bound, peak) or share_kept(pictures, bound) == 1


def test_an_output_that_exceeds_its_bitrate_says_so() -> None:
    held = OutputView(path="/out/a.mp4", bytes=1, buffer_seconds=2.0)
    assert over(held) is None
    assert over(held.model_copy(update={"buffer_seconds": None})) is None
    warning = over(held.model_copy(update={"buffer_seconds": 2.25}))
    assert warning is not None
    assert warning.startswith("a.mp4 exceeds its max_bitrate: 2.25 s of it must be buffered")
    coarse = over(held.model_copy(update={"buffer_seconds": 2.25, "tightened_chunks": 1}))
    assert coarse is not None
    assert coarse.startswith(
        "a.mp4 exceeds its max_bitrate, though it is as coarse as can be: 2.25"
    )


@pytest.fixture(scope="module")
def restless(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise around the borders of three chunks, a moving picture within them."""
    path = tmp_path_factory.mktemp("restless") / "restless.mkv"
    noisy = "between(mod(t+1.5\\,4)\\,0\\,3)*between(t\\,2\\,10)"
    graph = f"testsrc2=s=160x90:r=25:d=12,noise=alls=60:allf=t:enable='{noisy}'"
    made = ("-c:v", "libx264", "-qp", "4", "-preset", "ultrafast", "-g", "25")
    argv = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", graph, *made, str(path)]
    subprocess.run(argv, check=True)
    return path


@pytest.mark.parametrize("codec", list(Codec))
async def test_a_bitrate_is_kept_across_borders(
    codec: Codec, restless: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "a.mp4"
    capped = rendition(codec=codec, crf=15, max_bitrate=RATE)
    job = spec(restless, target, capped).model_copy(update={"chunks": 3})
    outcome = await run_job(job, toolbox)
    (output,) = assert_published(outcome, target)
    assert len(encodes_of(outcome)) == 3
    assert output["buffer_seconds"] == pytest.approx(_buffered(target), abs=0.001)
    assert 0.3 < output["buffer_seconds"] <= 2  # 2.2 to 3.6 where encoders know of no borders
    assert not any("max_bitrate" in warning for warning in outcome.warnings)


@pytest.fixture(scope="module")
def burst(ffmpeg: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise after black, of which libvpx makes ten times its rate."""
    path = tmp_path_factory.mktemp("burst") / "burst.mkv"
    graph = "color=black:s=96x64:r=25:d=6,noise=alls=90:allf=t:enable='between(t\\,2\\,4)'"
    made = ("-c:v", "libx264", "-qp", "4", "-preset", "ultrafast", "-g", "25")
    argv = [ffmpeg, "-nostdin", "-v", "error", "-f", "lavfi", "-i", graph, *made, str(path)]
    subprocess.run(argv, check=True)
    return path


@pytest.mark.parametrize("chunks", [1, 2])
async def test_what_exceeds_its_bitrate_is_encoded_again_and_says_so(
    chunks: int, burst: Path, toolbox: Toolbox, out: Path
) -> None:
    capped = rendition(codec=Codec.VP9, crf=15, max_bitrate=RATE)
    names = ("a.webm", "again.webm")[:chunks]  # whose chunks are found, and say how they came
    for name in names:
        job = spec(burst, out / name, capped, container="webm")
        outcome = await run_job(job.model_copy(update={"chunks": chunks}), toolbox)
        (output,) = assert_published(outcome, out / name)
        assert output["buffer_seconds"] == pytest.approx(_buffered(out / name), abs=0.001)
        assert output["buffer_seconds"] <= 2  # 13 by one encode
        assert output["tightened_chunks"] == chunks
        assert not any("max_bitrate" in warning for warning in outcome.warnings)
    results = [outcome.results[name] for name in encodes_of(outcome)]
    assert all(result["reused"] for result in results) is (chunks == 2)


def _buffered(path: Path) -> float:
    """Seconds of the rate: the most that any run of packets has over what the line has carried
    from the first of them to the last."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [
            (p.dts * stream.time_base, p.size * 8) for p in container.demux(stream) if p.size
        ]
    begun = worst = Fraction(0)
    for (before, _), (time, bits) in pairwise([(packets[0][0], 0), *packets]):
        begun = max(begun - RATE * (time - before), Fraction(0)) + bits
        worst = max(worst, begun)
    return float(worst / RATE)
