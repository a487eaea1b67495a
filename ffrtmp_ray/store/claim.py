"""Who may be the one scheduler: a pure rule that every store applies to the row it keeps.

Reads no clock and no row itself: the store gives both, and locks the row meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass

from ffrtmp_ray.errors import Superseded


@dataclass(frozen=True, slots=True)
class Claim:
    """The scheduler row: who holds the store, and when that was last confirmed."""

    epoch: int = 0
    """Of the present life; 0 before the first."""
    holder: str = ""
    """Nobody before the first, and after a release."""
    seen_at: float = 0.0
    """Seconds since 1970 by the store's own clock."""


def next_epoch(claim: Claim, holder: str, now: float, takeover_seconds: float) -> int:
    """The epoch that `holder` takes at `now` (seconds, the clock of `claim.seen_at`).

    Raises Superseded while another holder has been seen within `takeover_seconds`. A claim seen
    in the future, by more than that, is of a clock that was set back, and does not count: a
    living holder renews it every second.
    """
    free = claim.holder in ("", holder)
    if free or abs(now - claim.seen_at) > takeover_seconds:
        return claim.epoch + 1
    raise Superseded(
        f"{claim.holder} is the scheduler (epoch {claim.epoch}) and was seen "
        f"{abs(now - claim.seen_at):.1f} s ago",
        remedy=f"it can be replaced when it has not been seen for {takeover_seconds:g} s",
    )


def superseded(epoch: int, current: int) -> Superseded:
    """The error of a scheduler that still writes as `epoch` when `current` holds the store."""
    return Superseded(
        f"epoch {epoch} no longer holds the store: epoch {current} does",
        remedy="this scheduler must end; the other one goes on with its work",
    )
