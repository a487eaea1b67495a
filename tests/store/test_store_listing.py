"""Pages of jobs, newest first, whatever the filters."""

from __future__ import annotations

import itertools

import pytest

from ffrtmp_ray.core.model import Job, JobState, Queue
from ffrtmp_ray.store.protocol import MAX_PAGE, JobQuery, Store, StoredJob
from tests.store.samples import SPEC, added, job

MIXED = [
    job(number, state, queue=queue, owner=owner)
    for number, (state, queue, owner) in enumerate(
        itertools.product(JobState, Queue, ("ann", "ben")), start=1
    )
]
"""One job of every state, queue and owner."""


@pytest.fixture
def mixed(store: Store, epoch: int) -> Store:
    store.commit(epoch, [change for each in MIXED for change in added(each)])
    return store


def listed(store: Store, query: JobQuery) -> list[Job]:
    """All jobs that `query` lets pass, page by page."""
    jobs: list[Job] = []
    while True:
        page = store.jobs(query)
        assert len(page.jobs) <= query.limit
        jobs += [stored.job for stored in page.jobs]
        if page.next_before is None:
            return jobs
        query = JobQuery(query.states, query.queues, query.owner, page.next_before, query.limit)


def test_a_listing_shows_the_newest_first_with_what_was_asked_for(mixed: Store) -> None:
    page = mixed.jobs(JobQuery(limit=2))
    assert page.jobs == (StoredJob(MIXED[-1], SPEC), StoredJob(MIXED[-2], SPEC))
    assert page.next_before == MIXED[-2].order


@pytest.mark.parametrize("limit", [1, 7, 50])
@pytest.mark.parametrize("owner", [None, "ben", "nobody"])
@pytest.mark.parametrize("queues", [(), (Queue.LIVE,), (Queue.BATCH, Queue.DEFAULT)])
@pytest.mark.parametrize("states", [(), (JobState.QUEUED,), (JobState.FAILED, JobState.PENDING)])
def test_pages_show_each_job_that_the_filters_let_pass_once(
    mixed: Store,
    states: tuple[JobState, ...],
    queues: tuple[Queue, ...],
    owner: str | None,
    limit: int,
) -> None:
    wanted = [
        each
        for each in reversed(MIXED)
        if (not states or each.state in states)
        and (not queues or each.queue in queues)
        and owner in (None, each.owner)
    ]
    assert listed(mixed, JobQuery(states, queues, owner, limit=limit)) == wanted


def test_a_filter_named_twice_shows_no_job_twice(mixed: Store) -> None:
    twice = (JobState.QUEUED, JobState.QUEUED)
    queues = (Queue.BATCH, Queue.LIVE, Queue.BATCH)
    found = listed(mixed, JobQuery(states=twice, queues=queues, owner="ann", limit=1))
    assert [each.queue for each in found] == [Queue.BATCH, Queue.LIVE]


def test_a_page_that_is_just_full_is_the_last(mixed: Store) -> None:
    assert mixed.jobs(JobQuery(limit=len(MIXED))).next_before is None


def test_a_new_job_does_not_shift_the_next_page(mixed: Store, epoch: int) -> None:
    first = mixed.jobs(JobQuery(limit=3))
    mixed.commit(epoch, added(job(1000)))
    second = mixed.jobs(JobQuery(limit=3, before=first.next_before))
    assert [stored.job for stored in second.jobs] == MIXED[-4:-7:-1]


@pytest.mark.parametrize(("limit", "shown"), [(0, 1), (-5, 1), (10_000, MAX_PAGE)])
def test_a_page_has_one_job_at_least_and_so_many_at_most(
    store: Store, epoch: int, limit: int, shown: int
) -> None:
    store.commit(epoch, [each for n in range(MAX_PAGE + 1) for each in added(job(n))])
    assert len(store.jobs(JobQuery(limit=limit)).jobs) == shown
