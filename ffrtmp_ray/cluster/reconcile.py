"""What a worker must do to have what is wanted of it. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass

from ffrtmp_ray.cluster.protocol import Order
from ffrtmp_ray.core.messages import Level
from ffrtmp_ray.core.model import AttemptId
from ffrtmp_ray.media.assignment import Assignment


@dataclass(frozen=True, slots=True)
class Steps:
    start: tuple[Assignment, ...] = ()
    stop: tuple[AttemptId, ...] = ()
    suspend: tuple[AttemptId, ...] = ()
    resume: tuple[AttemptId, ...] = ()


def is_news(order: Order, *, epoch: int, revision: int) -> bool:
    """Whether `order` supersedes the last one obeyed; a late or repeated one does not."""
    return (order.epoch, order.revision) > (epoch, revision)


def reconcile(order: Order, held: Mapping[AttemptId, Level], ended: Container[AttemptId]) -> Steps:
    """The steps from `held` (what runs here, and how) to the wanted set of `order`.

    An attempt that has ended is never started again, whatever an order says; one that is wanted
    but came without its assignment has been started before, so it is not started either.
    """
    start = tuple(
        assignment
        for attempt_id, assignment in order.assignments.items()
        if attempt_id in order.attempts and attempt_id not in held and attempt_id not in ended
    )
    changed = {
        attempt_id: order.attempts[attempt_id]
        for attempt_id, level in held.items()
        if attempt_id in order.attempts and order.attempts[attempt_id] != level
    }
    return Steps(
        start=start,
        stop=tuple(attempt_id for attempt_id in held if attempt_id not in order.attempts),
        suspend=tuple(a for a, level in changed.items() if level is Level.SUSPEND),
        resume=tuple(a for a, level in changed.items() if level is Level.RUN),
    )
