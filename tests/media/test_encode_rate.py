"""What a frame rate that a user wrote stands for."""

from fractions import Fraction

import pytest

from ffrtmp_ray.media.encode.rate import frame_rate


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (25.0, "25"),
        (60.0, "60"),
        (23.976, "24000/1001"),
        (23.98, "24000/1001"),
        (29.97, "30000/1001"),
        (59.94, "60000/1001"),
        (119.88, "120000/1001"),
        (30000 / 1001, "30000/1001"),
        (12.5, "25/2"),
        (0.5, "1/2"),
        (14.985, "15000/1001"),
    ],
)
def test_a_short_way_of_writing_a_rate_is_understood(written: float, meant: str) -> None:
    assert frame_rate(written) == Fraction(meant)
