"""How large a rendition is."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ffrtmp_ray.media.encode.size import fit

PAL_WIDE = Fraction(64, 45)


@pytest.mark.parametrize(
    ("source", "height", "size"),
    [
        ((1920, 1080), 720, (1280, 720)),
        ((1920, 1080), 480, (854, 480)),
        ((1920, 800), 720, (1728, 720)),
        ((4096, 1716), 1080, (2578, 1080)),
        ((640, 480), 360, (480, 360)),
    ],
)
def test_the_width_follows_from_the_shape(
    source: tuple[int, int], height: int, size: tuple[int, int]
) -> None:
    assert fit(*source, None, 0, height) == size


def test_a_smaller_source_is_never_enlarged() -> None:
    assert fit(640, 360, None, 0, 1080) == (640, 360)


def test_without_a_height_the_source_keeps_its_size_in_even_numbers() -> None:
    assert fit(1920, 1080, None, 0, None) == (1920, 1080)
    assert fit(1081, 719, None, 0, None) == (1080, 718)


@pytest.mark.parametrize("rotation", [90, -90, 270])
def test_a_picture_that_is_turned_swaps_its_sides(rotation: int) -> None:
    assert fit(1920, 1080, None, rotation, None) == (1080, 1920)
    assert fit(1920, 1080, None, rotation, 1280) == (720, 1280)


@pytest.mark.parametrize("rotation", [0, 180, -180, 45])
def test_a_picture_upside_down_or_aslant_does_not(rotation: int) -> None:
    assert fit(1920, 1080, None, rotation, 720) == (1280, 720)


def test_pixels_become_square() -> None:
    assert fit(720, 576, PAL_WIDE, 0, None) == (1024, 576)
    assert fit(720, 576, PAL_WIDE, 90, None) == (404, 720)
    assert fit(1440, 1080, Fraction(4, 3), 0, 720) == (1280, 720)


def test_a_shape_that_is_not_known_is_square() -> None:
    assert fit(1280, 720, Fraction(0), 0, None) == (1280, 720)


def test_the_smallest_picture_has_two_rows_and_two_columns() -> None:
    assert fit(1, 1, None, 0, None) == (2, 2)
    assert fit(4, 4000, None, 0, 2) == (2, 2)


@given(
    st.integers(2, 8192),
    st.integers(2, 8192),
    st.sampled_from([None, Fraction(1), PAL_WIDE, Fraction(3, 4)]),
    st.sampled_from([0, 90, 180, 270]),
    st.none() | st.integers(1, 4320).map(lambda half: 2 * half),
)
def test_any_picture_comes_out_even_and_no_larger(
    width: int, height: int, sar: Fraction | None, rotation: int, asked: int | None
) -> None:
    out_width, out_height = fit(width, height, sar, rotation, asked)
    rows = width if rotation in (90, 270) else height
    shape = Fraction(width, height) * (sar or 1)
    shown = 1 / shape if rotation in (90, 270) else shape
    assert out_width % 2 == out_height % 2 == 0
    assert 2 <= out_height <= min(rows, asked or rows)
    assert 2 <= out_width <= max(2, shown * rows)
    assert out_width == 2 or abs(out_width - shown * out_height) < 2
