"""What the chaos test says: each blow as it falls, a table at the end, and one line of JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median

from ffrtmp_ray.views import JobDetail
from tests.chaos.hand import Record
from tests.chaos.ledger import attempts_of, restarted


def line_of(record: Record, began: float) -> str:
    """One blow, with the time since `began` (seconds since 1970)."""
    times = ", ".join(f"{name} {_seconds(value)}" for name, value in record.seconds.items())
    together = "" if record.alone else "  (two at once)"
    return f"{record.at - began:6.1f} s  {record.kind:<14} {record.what:<44} {times}{together}"


def table_of(records: Iterable[Record]) -> str:
    """Recovery times by kind, of blows that fell alone, and of all."""
    rows = [f"{'struck':<14} {'until':<10} {'times':>5} {'median':>8} {'longest':>8}"]
    for (kind, name), values in _by_milestone(records).items():
        rows.append(
            f"{kind:<14} {name:<10} {len(values):>5} {_seconds(median(values)):>8} "
            f"{_seconds(max(values)):>8}"
        )
    return "\n".join(rows)


def json_of(
    seed: int,
    seconds: float,
    records: Sequence[Record],
    jobs: Sequence[JobDetail],
    faults: Sequence[str],
) -> str:
    struck: dict[str, int] = defaultdict(int)
    for record in records:
        struck[record.kind] += 1
    outcomes: dict[str, int] = defaultdict(int)
    for attempt in attempts_of(jobs):
        outcomes[attempt.outcome or "running"] += 1
    alone = _by_milestone(record for record in records if record.alone)
    return json.dumps(
        {
            "ok": not faults,
            "seed": seed,
            "seconds": round(seconds, 1),
            "jobs": len(jobs),
            "completed": sum(job.state == "completed" for job in jobs),
            "struck": dict(struck),
            "attempts": dict(outcomes),
            "longest_recovery_seconds": {
                f"{kind} {name}": max(values) for (kind, name), values in alone.items()
            },
            "tasks_restarted_by_scheduler": len(restarted(records, jobs)),
            "faults": len(faults),
        }
    )


def _by_milestone(records: Iterable[Record]) -> dict[tuple[str, str], list[float]]:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        for name, value in record.seconds.items():
            if value is not None:
                found[record.kind, name].append(value)
    return dict(sorted(found.items()))


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"
