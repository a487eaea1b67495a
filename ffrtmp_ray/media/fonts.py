"""The fonts that text on pictures is written in: the installation's own, and those of the farm.

A machine's own fonts are never used: chunks of one picture are made on several machines.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import fontpkg_noto_sans  # type: ignore[import-untyped]  # it ships no types

OWN: Path = fontpkg_noto_sans.ROOT / "files"
"""Latin, Greek, Cyrillic and Devanagari (SIL Open Font License)."""


def folders(extra: Path | None) -> tuple[str, ...]:
    """Where fonts lie; `extra` is `Settings.fonts_dir`."""
    return (str(OWN), *((str(extra),) if extra is not None else ()))


def fingerprint(extra: Path | None) -> str:
    """SHA-256, in hex, of all fonts: other ones draw other pictures. Reads all of them."""
    digest = hashlib.sha256()
    for path in _files(extra):
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def characters(extra: Path | None) -> frozenset[int]:
    """The code points that can be written with one of them. Reads all of them."""
    return frozenset(code for path in _files(extra) for code in _characters(path))


def _characters(path: Path) -> Iterator[int]:
    """None where the file is no font. Its reader is loaded when it is first needed: a worker that
    starts has no time for it."""
    from fontTools.ttLib import (  # type: ignore[import-untyped]  # it ships no types
        TTCollection,
        TTFont,
        TTLibError,
    )

    try:
        fonts = TTCollection(path, lazy=True).fonts if path.suffix == ".ttc" else [TTFont(path)]
        for font in fonts:
            yield from font.getBestCmap() or ()
    except (TTLibError, OSError):
        return


def _files(extra: Path | None) -> Iterator[Path]:
    for folder in folders(extra):
        yield from sorted(path for path in Path(folder).rglob("*") if path.is_file())
