"""What URLs are called, and what of them may be shown."""

from __future__ import annotations

import pytest

from ffrtmp_ray.storage.urls import joined, name_of, scheme_of, shown


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ("/srv/a b.mov", "a b.mov"),
        ("https://host/x/a%20b.mov?sign=1#t", "a b.mov"),
        ("https://host/", "input"),
        ("https://host/x/..", "input"),
        ("https://host/a%00b", "input"),
        ("https://host/%2e%2e%2f", "input"),
        ("s3://bucket/in/100%25.mov", "100%25.mov"),
    ],
)
def test_a_place_has_a_name_that_is_safe_to_show(place: str, name: str) -> None:
    assert name_of(place) == name


@pytest.mark.parametrize(
    ("place", "seen"),
    [
        ("https://me:secret@host:8443/a.mov?X-Signature=secret", "https://host:8443/a.mov"),
        ("s3://bucket/in/a?b.mov", "s3://bucket/in/a?b.mov"),
        ("/srv/a.mov", "/srv/a.mov"),
    ],
)
def test_secrets_are_not_shown(place: str, seen: str) -> None:
    assert shown(place) == seen


def test_a_scheme_is_told_from_a_path() -> None:
    assert scheme_of("HTTPS://host/a") == "https"
    assert scheme_of("/srv/http://a") is None
    assert joined("s3://bucket/film/", "a/1.m4s") == "s3://bucket/film/a/1.m4s"
