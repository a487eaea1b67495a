"""What the scheduler and its workers say to each other.

Orders are levels: each says all that is wanted of a worker, so that a lost, repeated or late one
does no harm. Reports are kept by the worker until they are acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ffrtmp_ray.core.messages import Level, Report
from ffrtmp_ray.core.model import AttemptId, Progress, Usage
from ffrtmp_ray.media.assignment import Assignment

PROTOCOL = 2
"""Raised when a message changes its meaning; a worker of another number is replaced."""


@dataclass(frozen=True, slots=True)
class Order:
    """The whole wanted set of one worker; what is not named is to stop."""

    epoch: int
    revision: int
    """Rises with every order of one epoch to one worker."""
    attempts: Mapping[AttemptId, Level]
    assignments: Mapping[AttemptId, Assignment] = field(default_factory=dict)
    """Of the wanted attempts whose start has not been reported."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a worker says when it is polled."""

    epoch: int
    """The highest that it has heard of; above the caller's, the caller is superseded."""
    revision: int
    """The last order of that epoch that it has obeyed."""
    reports: tuple[tuple[int, Report], ...] = ()
    """Unacknowledged ones with their sequence numbers, rising."""
    attempts: frozenset[AttemptId] = frozenset()
    """All that it has: running, stopping, or ended and not acknowledged."""
    progress: Mapping[AttemptId, Progress] = field(default_factory=dict)
    usage: Usage | None = None
