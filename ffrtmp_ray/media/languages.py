"""Languages by the codes that files, users and players have for them. Pure.

The library is loaded when it is first asked: it takes 75 ms, and whoever starts has no time for it.
"""

from __future__ import annotations


def tag_of(language: str) -> str | None:
    """As HLS and DASH name it, by BCP 47 (RFC 5646, 2.2.1: by the shortest code that there is, `en`
    and not `eng`). None for what is no language's code."""
    import langcodes

    try:
        return langcodes.standardize_tag(language)
    except ValueError:
        return None


def canonical(language: str) -> str:
    """The code of terminology of ISO 639-2, by which MP4 goes, where there is one: `fra` for `fre`,
    by which Matroska does, and for `fr`. What is no language's code stays as it is."""
    import langcodes

    try:
        return langcodes.Language.get(language).to_alpha3()
    except (ValueError, LookupError):
        return language
