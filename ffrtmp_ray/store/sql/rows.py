"""Values of the engine as rows, and back. Neither reads nor writes the database.

A field is a column of the same name; what is no plain number or text becomes JSON. Both directions
follow the types themselves, so that a new field needs a column only.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Generic, TypeAlias, TypeVar, get_args, get_type_hints

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, Text, cast

from ffrtmp_ray.core.messages import JobTransitioned
from ffrtmp_ray.core.model import Attempt, Job, Task, Worker
from ffrtmp_ray.store.sql import tables

Value = TypeVar("Value", Job, Task, Attempt, Worker, JobTransitioned)
Row: TypeAlias = dict[str, Any]

_IDS_PER_QUERY = 1000
"""Well below the number of parameters that a statement may have (SQLite: 32,766)."""
_ROWS_PER_FETCH = 2000
_REMEMBERED = 10_000


class Mapping(Generic[Value]):
    """Between the type `kind` and the columns of `table` that are named as its fields."""

    def __init__(self, kind: type[Value], table: Table) -> None:
        self._kind: type[Value] = kind
        types = get_type_hints(kind)
        self._readers = [_reader(name, types[name]) for name in kind.__struct_fields__]
        self.columns: tuple[ColumnElement[Any], ...] = tuple(
            cast(table.c[name], Text).label(name)  # JSON, for a reader that remembers
            if table.c[name].type is tables.DOCUMENT
            else table.c[name]
            for name in kind.__struct_fields__
        )
        """To select, in the order that `values` expects."""

    def rows(self, values: Iterable[Value]) -> list[Row]:
        """One row for each value, as parameters of an insert or an update."""
        rows: list[Row] = msgspec.to_builtins(list(values))
        return rows

    def values(self, rows: Sequence[Sequence[Any]]) -> list[Value]:
        """The values of selected rows, whose first cells are those of `columns`.

        A column at a time, without a line of Python for each cell: a scheduler that starts waits
        for millions of them.
        """
        columns = zip(*rows, strict=True)
        cells = [
            column if read is None else map(read, column)
            for read, column in zip(self._readers, columns, strict=False)
        ]
        return list(map(self._kind, *cells)) if rows else []

    def select(self, connection: Connection, statement: Select[Any]) -> list[Value]:
        """The values of the rows of `statement`, which selects `columns`, a part at a time."""
        found = connection.execute(statement, execution_options={"yield_per": _ROWS_PER_FETCH})
        return [value for rows in found.partitions() for value in self.values(rows)]


def portions(ids: Iterable[str]) -> Iterator[list[str]]:
    """`ids`, each once, in lists that one statement may have as its parameters."""
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), _IDS_PER_QUERY):
        yield unique[start : start + _IDS_PER_QUERY]


class _Remembered(dict[str | None, Any]):
    """What each text of JSON means. Most jobs and tasks say the same as others; as values are
    frozen, those share one, which spares time and memory."""

    def __init__(self, kind: Any) -> None:
        self._decoder = msgspec.json.Decoder(kind)

    def __missing__(self, text: str | None) -> Any:
        if len(self) >= _REMEMBERED:
            self.clear()
        self[text] = value = None if text is None else self._decoder.decode(text)
        return value


def _reader(name: str, kind: Any) -> Callable[[Any], Any] | None:
    """What makes a field of type `kind` of a cell; None where the cell is it already."""
    given = kind
    if isinstance(kind, UnionType):
        (given,) = (each for each in get_args(kind) if each is not NoneType)
    if kind is str and not name.endswith("id"):
        return sys.intern  # few owners, kinds and names; many ids
    if given in (str, int, float):
        return None
    if given is bool:
        return bool
    if isinstance(given, type) and issubclass(given, Enum):
        members: dict[str | None, Any] = {member.value: member for member in given}
        return (members | {None: None}).__getitem__
    return _Remembered(kind).__getitem__


JOBS = Mapping(Job, tables.jobs)
TASKS = Mapping(Task, tables.tasks)
ATTEMPTS = Mapping(Attempt, tables.attempts)
WORKERS = Mapping(Worker, tables.workers)
TRANSITIONS = Mapping(JobTransitioned, tables.transitions)
