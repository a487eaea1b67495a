"""Presets: named ladders, kept as TOML in `ffrtmp_ray/presets/`. Holds no numbers of its own."""

from __future__ import annotations

import difflib
import tomllib
from functools import cache
from importlib import resources

from pydantic import TypeAdapter

from ffrtmp_ray.errors import UnknownPreset
from ffrtmp_ray.media.spec import JobSpec, Ladder, Name
from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.media.wishes import with_wishes

_SUFFIX = ".toml"
_FOLDER = resources.files("ffrtmp_ray") / "presets"


class Preset(SpecModel):
    """A ladder that has a name."""

    name: Name
    description: str
    ladder: Ladder


@cache
def names() -> tuple[str, ...]:
    """Of all presets, in alphabetical order."""
    files = (file.name for file in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


@cache
def load(name: str) -> Preset:
    """The preset of that name. Raises UnknownPreset, which names those that are spelled alike."""
    if name not in names():
        close = difflib.get_close_matches(name, names())
        raise UnknownPreset(
            f"there is no preset {name!r}",
            where="preset",
            remedy=f"did you mean {' or '.join(close)}?" if close else f"one of: {_all()}",
        )
    document = tomllib.loads((_FOLDER / f"{name}{_SUFFIX}").read_text(encoding="utf-8"))
    text = TypeAdapter(str).validate_python(document.pop("description"))
    return Preset(name=name, description=text, ladder=Ladder.model_validate(document))


def resolve(spec: JobSpec) -> JobSpec:
    """`spec` with its preset's ladder put in, so that a later edit of the preset changes nothing
    for a job that is accepted, and with what it wants different of it. Raises UnknownPreset and
    InvalidRequest."""
    ladder = spec.ladder if spec.preset is None else load(spec.preset).ladder
    if ladder is None:
        return spec
    # a resolved spec carries both the ladder and the name that it came from
    return spec.model_copy(update={"ladder": with_wishes(spec, ladder)})


def _all() -> str:
    return ", ".join(names())
