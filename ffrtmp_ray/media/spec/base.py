"""What all parts of a spec share. Data, never command line."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

LONGEST_SECONDS = 10_000_000
"""A time in a file, at most: four months."""

_MOST_PARTS = 3
"""Of a time: hours, minutes and seconds."""
_SHOWN = 60
"""Characters of a wrong text that an error repeats."""


class SpecModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def matches(pattern: str, words: str) -> Callable[[str], str]:
    """A validator of text that is to match all of `pattern`; `words` say which does."""
    known = re.compile(pattern)

    def check(value: str) -> str:
        if not known.fullmatch(value):
            raise ValueError(f"{words}, not {value[:_SHOWN]!r}")
        return value

    return check


def _seconds(value: Any) -> Any:
    """`1:02:03.5`, `02:03.5` and `3.5` as seconds; what is no text is left to pydantic."""
    if not isinstance(value, str):
        return value
    parts = value.split(":")
    numbers = all(part.replace(".", "", 1).isdecimal() for part in parts)
    if not numbers or len(parts) > _MOST_PARTS:
        raise ValueError(f"{value!r} is no time: give seconds, or hours:minutes:seconds")
    total = Fraction(0)
    for part in parts:
        total = total * 60 + Fraction(part)
    return float(total)


Seconds = Annotated[
    float,
    BeforeValidator(_seconds),
    Field(ge=0, le=LONGEST_SECONDS),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string"}]}),
]
"""A time in a file or a length of it: a number, or text as `1:02:03.5`."""


def exact(seconds: float) -> Fraction:
    """The decimal number that a time was written as."""
    return Fraction(repr(seconds))
