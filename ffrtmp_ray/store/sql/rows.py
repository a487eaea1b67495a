"""Values of the engine as rows, and back. Neither reads nor writes the database.

A field is a column of the same name; what is no plain number or text becomes JSON. Pydantic
makes both directions from the dataclasses themselves, so that a new field needs a column only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, Generic, TypeAlias, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Column, Table

from ffrtmp_ray.core.messages import JobTransitioned
from ffrtmp_ray.core.model import Attempt, Job, Task, Worker
from ffrtmp_ray.store.sql import tables

Value = TypeVar("Value", Job, Task, Attempt, Worker, JobTransitioned)
Row: TypeAlias = dict[str, Any]


class Mapping(Generic[Value]):
    """Between the dataclass `kind` and the columns of `table` that are named as its fields."""

    def __init__(self, kind: type[Value], table: Table) -> None:
        self._names = tuple(field.name for field in fields(kind))
        self._adapter = TypeAdapter(list[kind])  # type: ignore[valid-type]  # a type at run time
        self.columns: tuple[Column[Any], ...] = tuple(table.c[name] for name in self._names)
        """To select, in the order that `values` expects."""

    def rows(self, values: Iterable[Value]) -> list[Row]:
        """One row for each value, as parameters of an insert or an update."""
        rows: list[Row] = self._adapter.dump_python(list(values), mode="json")
        return rows

    def values(self, rows: Iterable[Sequence[Any]]) -> list[Value]:
        """The values of selected rows, whose first cells are those of `columns`."""
        names = self._names
        values: list[Value] = self._adapter.validate_python(
            [dict(zip(names, row, strict=False)) for row in rows]
        )
        return values


JOBS = Mapping(Job, tables.jobs)
TASKS = Mapping(Task, tables.tasks)
ATTEMPTS = Mapping(Attempt, tables.attempts)
WORKERS = Mapping(Worker, tables.workers)
TRANSITIONS = Mapping(JobTransitioned, tables.transitions)
