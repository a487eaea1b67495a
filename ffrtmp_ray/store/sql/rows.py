"""Values of the engine as rows, and back. Neither reads nor writes the database.

A field is a column of the same name; what is no plain number or text becomes JSON. msgspec
makes both directions from the types themselves, so that a new field needs a column only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import msgspec
from sqlalchemy import Column, Table

from ffrtmp_ray.core.messages import JobTransitioned
from ffrtmp_ray.core.model import Attempt, Job, Task, Worker
from ffrtmp_ray.store.sql import tables

Value = TypeVar("Value", Job, Task, Attempt, Worker, JobTransitioned)
Row: TypeAlias = dict[str, Any]

_IDS_PER_QUERY = 1000
"""Well below the number of parameters that a statement may have (SQLite: 32,766)."""


class Mapping(Generic[Value]):
    """Between the type `kind` and the columns of `table` that are named as its fields."""

    def __init__(self, kind: type[Value], table: Table) -> None:
        self._names = kind.__struct_fields__
        self._kind: type[Value] = kind
        self.columns: tuple[Column[Any], ...] = tuple(table.c[name] for name in self._names)
        """To select, in the order that `values` expects."""

    def rows(self, values: Iterable[Value]) -> list[Row]:
        """One row for each value, as parameters of an insert or an update."""
        rows: list[Row] = msgspec.to_builtins(list(values))
        return rows

    def values(self, rows: Iterable[Sequence[Any]]) -> list[Value]:
        """The values of selected rows, whose first cells are those of `columns`."""
        names = self._names
        return [msgspec.convert(dict(zip(names, row, strict=False)), self._kind) for row in rows]


JOBS = Mapping(Job, tables.jobs)
TASKS = Mapping(Task, tables.tasks)
ATTEMPTS = Mapping(Attempt, tables.attempts)
WORKERS = Mapping(Worker, tables.workers)
TRANSITIONS = Mapping(JobTransitioned, tables.transitions)


def portions(ids: Iterable[str]) -> Iterator[list[str]]:
    """`ids`, each once, in lists that one statement may have as its parameters."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _IDS_PER_QUERY):
        yield unique[start : start + _IDS_PER_QUERY]
