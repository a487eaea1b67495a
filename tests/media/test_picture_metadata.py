"""What files say of themselves is kept, said anew or removed, as the job asks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from ffrtmp_ray.media.package.describe import ffmetadata
from ffrtmp_ray.media.plan.describe import described
from ffrtmp_ray.media.plan.payloads import Described
from ffrtmp_ray.media.probe.source import Chapter
from ffrtmp_ray.media.probe.tags import clean
from ffrtmp_ray.media.spec import JobSpec, Ladder
from ffrtmp_ray.media.spec.metadata import Metadata
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, run_job, spec

TITLE = "=; # 'Ü' \\ [CHAPTER] -vf null"
"""Everything that means something to somebody."""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Three seconds with two chapters, and tags of which one says where it was shot."""
    folder = tmp_path_factory.mktemp("metadata")
    parts = ((Fraction(0), Fraction(2), "One"), (Fraction(2), Fraction(3), "Two"))
    chapters = tuple(Chapter(start=start, end=end, title=title) for start, end, title in parts)
    said = Described(tags={"title": TITLE, "artist": "Ann", "date": "2031"}, chapters=chapters)
    (folder / "said").write_text(ffmetadata(said))
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=3"),
        *("-f", "lavfi", "-i", "sine=duration=3", "-f", "ffmetadata", "-i", folder / "said"),
        *("-map_metadata", "2", "-metadata", "location=+48.1+011.5/"),
        *("-c:v", "libx264", "-c:a", "aac", folder / "film.mp4"),
    )
    return folder / "film.mp4"


def told(path: Path) -> tuple[dict[str, str], list[tuple[float, float, str]]]:
    """Tags by lower-case names without those of the file's form, and chapters."""
    forms = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    with av.open(str(path)) as container:
        tags = {name.lower(): value for name, value in container.metadata.items()}
        chapters = [
            (
                float(each["start"] * each["time_base"]),
                float(each["end"] * each["time_base"]),
                each["metadata"].get("title", ""),
            )
            for each in container.chapters()
            if each["time_base"] is not None
        ]
    return {name: value for name, value in tags.items() if name not in forms}, chapters


def asked(film: Path, target: Path, **fields: Any) -> JobSpec:
    return spec(film, target).model_copy(update=fields)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
async def test_tags_and_chapters_are_kept_and_places_are_not(
    suffix: str, film: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a{suffix}"
    assert_published(await run_job(asked(film, target), toolbox), target)
    tags, chapters = told(target)
    assert tags == {"title": TITLE, "artist": "Ann", "date": "2031"}
    assert chapters == [(0, 2, "One"), (2, 3, "Two")]


async def test_a_file_of_sound_keeps_them_too(film: Path, toolbox: Toolbox, out: Path) -> None:
    target = out / "a.m4a"
    wanted = JobSpec(input=str(film), output=str(target), ladder=Ladder(renditions=()))
    assert_published(await run_job(wanted, toolbox), target)
    tags, chapters = told(target)
    assert (tags["title"], [title for *_, title in chapters]) == (TITLE, ["One", "Two"])


async def test_tags_are_said_anew_and_removed(film: Path, toolbox: Toolbox, out: Path) -> None:
    target = out / "a.mp4"
    metadata = Metadata.model_validate(
        {"set": {"title": "Pilot\n=2", "artist": None, "genre": "News"}, "chapters": False}
    )
    assert_published(await run_job(asked(film, target, metadata=metadata), toolbox), target)
    assert told(target) == ({"title": "Pilot\n=2", "genre": "News", "date": "2031"}, [])


async def test_nothing_is_said_where_nothing_is_to_be(
    film: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "a.mp4"
    metadata = Metadata(keep=False, chapters=False)
    assert_published(await run_job(asked(film, target, metadata=metadata), toolbox), target)
    assert told(target) == ({}, [])


async def test_chapters_follow_a_trim(film: Path, toolbox: Toolbox, out: Path) -> None:
    target = out / "a.mp4"
    wanted = asked(film, target, trim=Trim(start=1, duration=1.6))
    assert_published(await run_job(wanted, toolbox), target)
    assert told(target)[1] == [(0, 1, "One"), (1, 1.6, "Two")]


def test_chapters_outside_a_part_are_left_out() -> None:
    chapters = [Chapter(start=Fraction(n), end=Fraction(n + 1), title=str(n)) for n in range(5)]
    part = described(Metadata(), {}, chapters, Fraction(3, 2), Fraction(2))
    assert [(c.start, c.end, c.title) for c in part.chapters] == [
        (0, Fraction(1, 2), "1"),
        (Fraction(1, 2), Fraction(3, 2), "2"),
        (Fraction(3, 2), 2, "3"),
    ]


def test_known_tags_alone_are_taken_and_cleaned() -> None:
    found = {"TITLE": "a\0b\x1b[31m\nc", "com.apple.quicktime.make": "Phone", "genre": "x" * 9000}
    assert clean(found) == {"title": "ab[31m\nc", "genre": "x" * 2000}


@pytest.mark.parametrize("wrong", [{"location": "x"}, {"title": "a\0"}, {"title": "x" * 2001}])
def test_other_tags_and_values_are_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="set"):
        Metadata.model_validate({"set": wrong})
