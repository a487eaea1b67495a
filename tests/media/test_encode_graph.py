"""Chains of filters that are merged where they begin alike."""

from ffrtmp_ray.media.encode.graph import shared_graph


def test_one_chain_is_a_line() -> None:
    assert shared_graph("[0:v]", [["a", "b"]]) == "[0:v]a,b[out0]"


def test_chains_part_where_they_differ() -> None:
    assert shared_graph("[0:v]", [["a", "b"], ["a", "c", "d"]]) == (
        "[0:v]a,split=2[in0][in1];[in0]b[out0];[in1]c,d[out1]"
    )


def test_what_differs_from_the_first_filter_on_is_split_at_the_source() -> None:
    assert shared_graph("[0:v]", [["a"], ["b"]]) == (
        "[0:v]split=2[in0][in1];[in0]a[out0];[in1]b[out1]"
    )


def test_a_chain_that_ends_within_another_is_tapped_there() -> None:
    assert shared_graph("[0:v]", [["a", "b", "c"], ["a"], ["a", "b"]]) == (
        "[0:v]a,split=2[out1][in0];[in0]b,split=2[out2][in1];[in1]c[out0]"
    )


def test_equal_chains_share_every_filter() -> None:
    assert shared_graph("[0:v]", [["a"], ["a"]]) == "[0:v]a,split=2[out0][out1]"
