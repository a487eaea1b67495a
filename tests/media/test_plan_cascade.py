"""From which picture each rendition of a ladder is scaled."""

from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.cascade import cascade
from ffrtmp_ray.media.spec import Codec
from tests.media.pipeline import rendition

UHD = (3840, 2160)
WIDTHS = {1080: 1920, 720: 1280, 540: 960, 480: 854, 360: 640}


def _output(height: int, **fields: object) -> OutputWork:
    name = f"{height}{fields.get('codec', '')}"
    return OutputWork(
        rendition=rendition(name, height=height, **fields), width=WIDTHS[height], height=height
    )


def _via(outputs: list[OutputWork], source: tuple[int, int] = UHD, depth: int = 8) -> list[object]:
    return [[height for _, height in each.via] for each in cascade(outputs, source, depth)]


def test_each_is_scaled_from_the_next_larger_one() -> None:
    ladder = [_output(360), _output(1080), _output(480), _output(720)]
    assert _via(ladder) == [[1080, 720, 480], [], [1080, 720], [1080]]


def test_one_that_is_hardly_larger_is_passed_over() -> None:
    assert _via([_output(720), _output(540), _output(480)]) == [[], [720], [720]]


def test_what_has_the_sources_size_is_the_source() -> None:
    ladder = [_output(1080), _output(720), _output(480)]
    assert _via(ladder, source=(1920, 1080)) == [[], [], [720]]


def test_ten_bits_are_not_made_of_eight() -> None:
    ladder = [_output(1080), _output(720, codec=Codec.HEVC), _output(480, codec=Codec.AV1)]
    assert _via(ladder, depth=10) == [[], [], [720]]
    assert _via(ladder, depth=8) == [[], [1080], [1080, 720]]


def test_a_rate_of_its_own_is_a_picture_of_its_own() -> None:
    ladder = [_output(1080), _output(720, fps=12), _output(480, fps=12)]
    assert _via(ladder) == [[], [], [720]]
