"""Buckets of each kind of store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from obstore.store import ObjectStore, from_url


@pytest.fixture(params=["s3", "gs", "az"])
def bucket(request: pytest.FixtureRequest, bucket_of: Callable[[str], str]) -> str:
    """An empty one of each kind of store."""
    return bucket_of(request.param)


@pytest.fixture
def store(bucket: str) -> ObjectStore:
    return from_url(bucket)
