"""How long a web server in trouble is left alone."""

import pytest

from ffrtmp_ray.storage.patience import LONGEST_SECONDS, Patience, asked_seconds

NOW = 784_111_777.0
"""Sun, 06 Nov 1994 08:49:37 GMT, of RFC 9110, 5.6.7."""


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30),
        ("Sunday, 06-Nov-94 08:50:07 GMT", 30),
        ("Sun Nov  6 08:50:07 1994", 30),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0),  # which is past
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("\u0663", 0),
        ("Sun, 06 Nov 99999 08:50:07 GMT", 0),
        ("", 0),
    ],
)
def test_what_a_server_says_is_seconds_or_a_date(said: str, seconds: float) -> None:
    assert asked_seconds({"Retry-After": said}, NOW) == seconds


def test_a_date_counts_from_the_servers_own() -> None:
    headers = {
        "Retry-After": "Sun, 06 Nov 1994 08:50:07 GMT",
        "Date": "Sun, 06 Nov 1994 08:50:00 GMT",
    }
    assert asked_seconds(headers, NOW) == 7


def test_what_says_nothing_is_asked_again_after_pauses_of_ours() -> None:
    patience = Patience((0.2, 1.0))
    assert [patience.pause() for _ in range(3)] == [0.2, 1.0, None]


def test_a_server_is_waited_for_so_long_in_all() -> None:
    patience = Patience((0.2, 1.0, 3.0, 8.0))
    asked = [5.0, LONGEST_SECONDS, 60.0, 60.0, 60.0]
    waits = [patience.pause(each) for each in asked]
    assert waits == [5.0, LONGEST_SECONDS - 5, 3.0, 8.0, None]


def test_patience_is_renewed_by_what_comes() -> None:
    patience = Patience((0.2,))
    assert patience.pause(1000) == LONGEST_SECONDS
    patience.renew()
    assert patience.pause(1000) == LONGEST_SECONDS
