from __future__ import annotations

import pytest

from ffrtmp_ray.core.model import Failure, FailureKind, Policy
from ffrtmp_ray.core.retry import HOPELESS, GiveUp, RetryAt, backoff, chance, decide
from tests.core.farm import make_job, make_task

POLICY = Policy(backoff_base=1.0, backoff_cap=60.0, max_workers_lost=3)
NOW = 1000.0
COUNTED = set(FailureKind) - HOPELESS - {FailureKind.WORKER_LOST, FailureKind.OUT_OF_GPU_SESSIONS}


def failure(kind: FailureKind) -> Failure:
    return Failure(kind, "the node is gone")


@pytest.mark.parametrize("kind", ["bad_input", "unsupported", "output_exists"])
def test_what_another_try_would_only_repeat_fails_at_once(kind: str) -> None:
    its = failure(FailureKind(kind))
    assert decide(its, make_task(), make_job(), "a", NOW, POLICY) == GiveUp(its)


@pytest.mark.parametrize("kind", sorted(COUNTED))
def test_other_failures_count_and_are_tried_again_until_the_attempts_are_used_up(
    kind: FailureKind,
) -> None:
    job = make_job(max_attempts=3)
    for failures in (0, 1):
        decision = decide(failure(kind), make_task(failures=failures), job, "a", NOW, POLICY)
        assert isinstance(decision, RetryAt)
        assert decision.counts
        assert NOW <= decision.at <= NOW + 2.0**failures
    last = decide(failure(kind), make_task(failures=2), job, "a", NOW, POLICY)
    assert last == GiveUp(failure(kind))


def test_a_lost_worker_never_counts_and_the_task_is_ready_at_once() -> None:
    its = failure(FailureKind.WORKER_LOST)
    task = make_task(failures=2, workers_lost=1)
    assert decide(its, task, make_job(max_attempts=3), "a", NOW, POLICY) == RetryAt(NOW, False)


def test_a_task_under_which_too_many_workers_were_lost_is_taken_for_their_killer() -> None:
    its = failure(FailureKind.WORKER_LOST)
    decision = decide(its, make_task(workers_lost=2), make_job(), "a", NOW, POLICY)
    assert isinstance(decision, GiveUp)
    assert decision.failure.kind is FailureKind.WORKER_LOST
    assert decision.failure.reason == (
        "3 workers were lost under this task, the last one because the node is gone"
    )


def test_a_lack_of_gpu_sessions_uses_up_no_attempt_and_waits() -> None:
    its = failure(FailureKind.OUT_OF_GPU_SESSIONS)
    task = make_task(failures=2, attempts=40)
    decision = decide(its, task, make_job(max_attempts=3), "a", NOW, POLICY)
    assert decision == RetryAt(NOW + 60.0 * chance("a"), counts=False)


def test_backoff_is_a_random_part_of_a_time_that_doubles_up_to_its_cap() -> None:
    waits = [[backoff(tries, f"a{n}", POLICY) for n in range(200)] for tries in (1, 3, 50, 5000)]
    for ceiling, several in zip((1.0, 4.0, 60.0, 60.0), waits, strict=True):
        assert all(0 <= wait < ceiling for wait in several)
        assert max(several) > 0.9 * ceiling
        assert min(several) < 0.1 * ceiling


def test_chance_is_a_checksum_and_so_the_same_on_every_machine() -> None:
    # The check value of CRC-32: https://reveng.sourceforge.io/crc-catalogue/17plus.htm
    assert chance("123456789") == 0xCBF43926 / 2**32


def test_chance_differs_between_attempts() -> None:
    assert len({chance(f"job-encode-1-{n}") for n in range(100)}) == 100
