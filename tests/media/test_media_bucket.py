"""A highest bitrate, kept by whole files and across the borders of chunks."""

import subprocess
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import pytest

from ffrtmp_ray.media.bucket import Bucket, bucket_for, highest
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
    each = bucket_for(bits, length)
    assert each.start is not None
    worst, steps = [(Fraction(0), each.size)], max(10, int(length * 10))
    for number in range(20):
        worst.append((length * number, each.start))
        worst += [
            (length * (number + Fraction(step, steps)), int(each.rate * length / steps))
            for step in range(1, steps + 1)
        ]
    assert highest(worst, bits) <= 2 * bits
    assert each.rate >= bits * 3 // 4


def test_the_bucket_leaks_between_pictures_and_never_below_empty() -> None:
    pictures = [(Fraction(0), 100), (Fraction(1), 50), (Fraction(9), 120), (Fraction(10), 10)]
    assert highest(pictures, rate=60) == 120
    assert highest([], rate=60) == 0


def test_an_output_that_exceeds_its_bitrate_says_so() -> None:
    held = OutputView(path="/out/a.mp4", bytes=1, buffer_seconds=2.0)
    assert over(held) is None
    assert over(held.model_copy(update={"buffer_seconds": None})) is None
    warning = over(held.model_copy(update={"buffer_seconds": 2.25}))
    assert warning is not None
    assert warning.startswith("a.mp4 exceeds its max_bitrate: 2.25 s of it must be buffered")


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


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC])
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
