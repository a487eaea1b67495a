"""Subtitles that lie beside files as WebVTT, for players that take no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import TextForm
from ffrtmp_ray.media.package.cues import Cue, read, write
from ffrtmp_ray.media.plan import check_spec
from ffrtmp_ray.media.plan.outputs import OutputKind
from ffrtmp_ray.media.plan.texts import texts_beside
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.probe.source import TextStream
from ffrtmp_ray.media.spec import Container, JobSpec, Subtitles
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.spec.trim import Trim
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, rendition, run_job, spec
from tests.media.planning import ladder_of, source_with, spec_of

CUES = [Cue(500, 1500, ("first",)), Cue(2000, 3000, ("second",))]
FILES = OutputKind(folder=True, container=Container.MP4)


async def test_a_ladder_has_them_beside_its_files_and_on_their_times(
    ffmpeg: str, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    clip, text = tmp_path / "film.mkv", tmp_path / "text.srt"
    text.write_text(write(CUES, TextForm.SUBRIP))
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=4"),
        *("-i", text, "-map", "0", "-map", "1", "-map", "1", "-c:s", "srt"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-output_ts_offset", "3"),
        *("-metadata:s:s:0", "language=eng", "-metadata:s:s:1", "language=fre", clip),
    )
    ladder = (rendition("a"), rendition("b", height=32))
    job = spec(clip, out / "f", *ladder, audio=None, subtitles=Subtitles(webvtt=True))
    job = job.model_copy(update={"trim": Trim(start=1, duration=2.5)})
    outcome = await run_job(job, toolbox)
    names = ("a.mp4", "b.mp4", "subtitles.eng.vtt", "subtitles.fra.vtt")
    outputs = assert_published(outcome, *(out / "f" / name for name in names))
    assert [each["subtitles"] for each in outputs[2:]] == ["webvtt eng", "webvtt fra"]
    for name in names[2:]:
        assert read((out / "f" / name).read_text()) == [
            Cue(0, 500, ("first",)), Cue(1000, 2000, ("second",)),
        ]  # fmt: skip


def _names(*texts: TextStream, burned: int | None = None) -> list[str | None]:
    source = source_with(subtitles=len(texts)).model_copy(update={"texts": texts})
    ladder = ladder_of(subtitles=Subtitles(webvtt=True))
    return [each.file for each in texts_beside(ladder, source, FILES, burned)]


def _text(index: int, language: str | None) -> TextStream:
    return TextStream(index=index, codec="subrip", language=language)


def test_each_is_named_by_its_language_and_no_two_alike() -> None:
    texts = (_text(2, "eng"), _text(3, None), _text(4, "en"), _text(5, "ger"))
    assert _names(*texts) == [
        "subtitles.eng.vtt", "subtitles.und.vtt", "subtitles.eng.2.vtt", "subtitles.deu.vtt",
    ]  # fmt: skip
    assert _names(*texts, burned=2) == [
        "subtitles.und.vtt", "subtitles.eng.2.vtt", "subtitles.deu.vtt",
    ]  # fmt: skip


def test_what_a_source_calls_a_language_is_no_path() -> None:
    assert _names(_text(2, "../../x")) == ["subtitles.und.vtt"]


def test_packages_have_them_already() -> None:
    kind = OutputKind(folder=True, container=Container.MP4, packaging=Packaging())
    source = source_with(subtitles=1).model_copy(update={"texts": (_text(2, "eng"),)})
    assert texts_beside(ladder_of(subtitles=Subtitles(webvtt=True)), source, kind) == ()


def test_a_file_beside_makes_the_output_a_folder() -> None:
    ladder = ladder_of(subtitles=Subtitles(webvtt=True))
    with pytest.raises(InvalidRequest, match="with WebVTT beside it is a folder") as caught:
        check_spec(spec_of("/out/a.mp4", ladder))
    assert caught.value.where == "output"
    check_spec(spec_of("/out/a", ladder))


def test_a_job_asks_for_them_of_any_preset() -> None:
    job = resolve(JobSpec(input="/in/a", output="/out/a", preset="web", webvtt=True))
    assert job.ladder is not None
    assert job.ladder.subtitles == Subtitles(webvtt=True)
