"""One scheduler at a time: epochs, takeover, and the fence around every commit."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ffrtmp_ray.core.model import Shares
from ffrtmp_ray.errors import Superseded
from ffrtmp_ray.store.claim import Claim, next_epoch
from ffrtmp_ray.store.protocol import Store
from tests.store.backends import NEVER, Open
from tests.store.samples import added, job

BRIEF = 0.3


def test_the_first_scheduler_takes_epoch_one(store: Store) -> None:
    assert store.take_epoch("here", "1.0") == 1


def test_the_same_holder_takes_the_next_epoch_at_once(opened: Open) -> None:
    assert [opened(NEVER).take_epoch("here", "1.0") for _ in range(3)] == [1, 2, 3]


def test_another_must_wait_while_the_holder_is_seen(opened: Open, store: Store, epoch: int) -> None:
    with pytest.raises(Superseded, match=r"here is the scheduler \(epoch 1\)"):
        opened(NEVER).take_epoch("there", "1.0")
    store.commit(epoch, added(job(1)))  # the holder has lost nothing


def test_another_takes_over_when_the_holder_is_silent(opened: Open, store: Store) -> None:
    other = opened(BRIEF)
    store.take_epoch("here", "1.0")
    began = time.monotonic()
    assert _take_when_allowed(other, "there") == 2
    assert time.monotonic() - began >= BRIEF * 0.9


def test_a_holder_that_renews_its_claim_is_not_silent(opened: Open, store: Store) -> None:
    # Longer than a busy machine takes from a renewal to the question after it.
    takeover_seconds = 1.5
    other = opened(takeover_seconds)
    epoch = store.take_epoch("here", "1.0")
    until = time.monotonic() + 1.3 * takeover_seconds
    commits = 0
    while time.monotonic() < until:
        # A commit renews the claim as `seen` does.
        store.seen(epoch)
        commits += 1
        store.commit(epoch, added(job(commits)))
        with pytest.raises(Superseded):
            other.take_epoch("there", "1.0")


def test_a_superseded_scheduler_writes_nothing(opened: Open, store: Store, epoch: int) -> None:
    later = opened(NEVER)
    assert later.take_epoch("here", "1.0") == 2

    with pytest.raises(Superseded, match="epoch 1 no longer holds the store: epoch 2 does"):
        store.commit(epoch, added(job(1)))
    with pytest.raises(Superseded):
        store.seen(epoch)
    with pytest.raises(Superseded):
        store.release(epoch)

    assert later.load().snapshot.jobs == ()
    later.commit(2, added(job(1)))
    assert later.load().snapshot.jobs == (job(1),)


def test_an_epoch_that_was_never_taken_holds_nothing(store: Store, epoch: int) -> None:
    with pytest.raises(Superseded):
        store.commit(epoch + 1, added(job(1)))
    assert store.load().snapshot.jobs == ()


def test_a_released_store_is_taken_at_once(opened: Open, store: Store, epoch: int) -> None:
    store.release(epoch)
    assert opened(NEVER).take_epoch("there", "1.0") == epoch + 1


def test_of_schedulers_that_ask_at_once_one_gets_the_store(opened: Open) -> None:
    stores = [opened(NEVER) for _ in range(4)]

    def take(number: int) -> int | None:
        try:
            return stores[number].take_epoch(f"holder {number}", "1.0")
        except Superseded:
            return None

    with ThreadPoolExecutor(len(stores)) as pool:
        taken = list(pool.map(take, range(len(stores))))

    assert sorted(taken, key=str) == [1, None, None, None]


def test_a_claim_seen_in_the_future_is_of_a_clock_that_was_set_back() -> None:
    claim = Claim(epoch=4, holder="here", seen_at=5000.0)
    assert next_epoch(claim, "there", now=1000.0, takeover_seconds=10.0) == 5
    with pytest.raises(Superseded):
        next_epoch(claim, "there", now=4995.0, takeover_seconds=10.0)


def _take_when_allowed(store: Store, holder: str) -> int:
    deadline = time.monotonic() + 20
    while True:
        try:
            return store.take_epoch(holder, "1.0")
        except Superseded:
            assert time.monotonic() < deadline, "the store was never given up"
            time.sleep(0.01)


def test_what_owners_have_had_is_kept_with_a_claim_until_it_is_told_anew(
    store: Store, epoch: int
) -> None:
    assert store.load().snapshot.shares == Shares()
    shares = Shares(12.5, {"ann": 40.25, "bob": 12.5})
    store.seen(epoch, shares)
    store.seen(epoch)
    store.commit(epoch, added(job(1)))
    assert store.load().snapshot.shares == shares
    store.seen(epoch, Shares())
    assert store.load().snapshot.shares == Shares()


def test_who_is_superseded_changes_nothing_of_what_owners_have_had(
    store: Store, epoch: int
) -> None:
    store.take_epoch("here", "1.0")
    with pytest.raises(Superseded):
        store.seen(epoch, Shares(1.0))
    assert store.load().snapshot.shares == Shares()
