"""Says of each field that pydantic refuses what would be right. Pure: from errors to sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, Field

from .listing import Listing

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""
_WORDS = {
    "tuple": "list",
    "valid dictionary or object to extract fields from": "JSON object",
    "valid dictionary": "JSON object",
    "dictionary": "object",
    " after validation": "",
}
"""What pydantic says in Python's words, and what it is to somebody who sends JSON."""


class FieldError(BaseModel):
    """One wrong field of a request."""

    where: str = Field(
        description="The field's path.", examples=["priority", "ladder.renditions[0].crf"]
    )
    message: str = Field(
        description="What is wrong, and what would be right.",
        examples=["should be 'high', 'medium' or 'low', not 'urgent'"],
    )


def field_errors(
    errors: Iterable[Mapping[str, Any]], body: type[BaseModel]
) -> tuple[FieldError, ...]:
    """One `FieldError` for each of pydantic's `errors` of a request, in their order.

    `body` is the model that its body was checked against, to name the fields that there are.
    https://docs.pydantic.dev/latest/errors/validation_errors/ lists their types.
    """
    found = [{**error, "loc": _named(error["loc"])} for error in errors]
    messages: dict[str, list[str]] = {}
    for error in found:
        if not _follows(error, found):
            messages.setdefault(_where(error["loc"]), []).append(_message(error, body))
    return tuple(
        FieldError(where=where, message=", or ".join(dict.fromkeys(texts)))
        for where, texts in messages.items()
    )


def _named(location: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without the types by which pydantic names what else a field may be, as `str-enum[Tracks]`."""
    return tuple(step for step in location if isinstance(step, int) or "[" not in step)


def _follows(error: Mapping[str, Any], found: Sequence[Mapping[str, Any]]) -> bool:
    """Whether pydantic says of a sequence, beside which of its items are wrong, that it is too
    short without them, or no word."""
    where = error["loc"]
    of_items = error["type"] == "too_short" or isinstance(error.get("input"), list)
    return of_items and any(
        other["loc"][: len(where)] == where and other["loc"] != where for other in found
    )


def _where(location: Sequence[str | int]) -> str:
    """`("body", "ladder", "renditions", 0, "crf")` becomes `ladder.renditions[0].crf`."""
    part, *path = location
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.lstrip(".") or str(part)


def _message(error: Mapping[str, Any], body: type[BaseModel]) -> str:
    match error["type"]:
        case "missing":
            return "is required"
        case "extra_forbidden":
            return _unknown(error["loc"], body)
        case "value_error":
            return str(error["ctx"]["error"])
        case "json_invalid":
            return f"is not JSON: {error['ctx']['error']}, at character {error['loc'][-1]}"
        case "model_attributes_type" | "model_type" if error["loc"] == ("body",):
            return "should be a JSON object, sent with `Content-Type: application/json`"
        case "enum" | "literal_error":
            return f"should be {error['ctx']['expected']}, not {_shown(error['input'])}"
    text: str = error["msg"].removeprefix("Input ")
    text = text[0].lower() + text[1:]
    for python, words in _WORDS.items():
        text = text.replace(python, words)
    scalar = isinstance(error.get("input"), str | int | float | bool)
    return f"{text}, not {_shown(error['input'])}" if scalar else text


def _unknown(location: Sequence[str | int], body: type[BaseModel]) -> str:
    known = _fields_at(location, Listing if location[0] == "query" else body)
    near = get_close_matches(str(location[-1]), known, n=1)
    if near:
        return f"there is no such field; did you mean `{near[0]}`?"
    return f"there is no such field; there are {', '.join(known)}"


def _fields_at(location: Sequence[str | int], model: type[BaseModel]) -> list[str]:
    """Names of the fields beside the unknown one, in that part of `model` that refused it."""
    for step in location[1:-1]:
        if isinstance(step, str):
            model = _model_in(model.model_fields[step].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model within `Ladder | None`, `tuple[Rendition, ...]` and the like."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
