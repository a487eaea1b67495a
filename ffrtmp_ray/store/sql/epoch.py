"""The scheduler row: who may write, and the lock under which every commit is made.

Statements of one transaction each; `store.claim` has the rule of who may take over.
"""

from __future__ import annotations

from msgspec import to_builtins
from sqlalchemy import Connection, case, select, update

from ffrtmp_ray.core.model import Shares
from ffrtmp_ray.store.batch import Batch
from ffrtmp_ray.store.claim import Claim, next_epoch, superseded
from ffrtmp_ray.store.sql.engine import database_clock
from ffrtmp_ray.store.sql.tables import canary, scheduler


def take(connection: Connection, holder: str, version: str, takeover_seconds: float) -> int:
    """Make `holder` the scheduler and return its epoch. Raises Superseded."""
    row = connection.execute(
        select(
            scheduler.c.epoch, scheduler.c.holder, scheduler.c.seen_at, database_clock()
        ).with_for_update()
    ).one()
    claim = Claim(epoch=row[0], holder=row[1], seen_at=row[2])
    epoch = next_epoch(claim, holder, now=row[3], takeover_seconds=takeover_seconds)
    connection.execute(
        update(scheduler).values(
            epoch=epoch, holder=holder, version=version, seen_at=database_clock()
        )
    )
    return epoch


def renew(
    connection: Connection, epoch: int, batch: Batch | None = None, shares: Shares | None = None
) -> None:
    """Confirm the claim of `epoch`, and hold the row until the transaction ends.

    Raises Superseded when `epoch` is not the current one. What is highest in `batch`, and
    `shares`, is kept in the row.
    """
    row = scheduler.c
    values: dict[str, object] = {"seen_at": database_clock()}
    if batch is not None:
        values["last_order"] = case(
            (row.last_order < batch.last_order, batch.last_order), else_=row.last_order
        )
        values["last_time"] = case(
            (row.last_time < batch.last_time, batch.last_time), else_=row.last_time
        )
    if shares is not None:
        values["shares"] = to_builtins(shares)
    _change(connection, epoch, values)


def release(connection: Connection, epoch: int) -> None:
    """Leave the store without a holder. Raises Superseded when `epoch` is not the current one."""
    _change(connection, epoch, {"holder": ""})


def try_write(connection: Connection) -> None:
    """Write a row for the sake of writing."""
    connection.execute(update(canary).values(written_at=database_clock()))


def _change(connection: Connection, epoch: int, values: dict[str, object]) -> None:
    # One UPDATE locks and compares, in every database.
    statement = update(scheduler).where(scheduler.c.epoch == epoch).values(values)
    if connection.execute(statement).rowcount != 1:
        current = connection.execute(select(scheduler.c.epoch)).scalar_one()
        raise superseded(epoch, current)
