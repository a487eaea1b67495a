"""Which sounds of a source an output has, and what is said of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.plan.tracks import choose_tracks, dispositions_of, missing
from ffrtmp_ray.media.probe.source import SoundSource, TrackLabels
from ffrtmp_ray.media.spec import Audio, Tracks
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.encoding import run
from tests.media.pipeline import assert_published, failure_of, run_job, spec

ENGLISH = TrackLabels(language="eng")
GERMAN = TrackLabels(language="ger", dispositions=("default", "dub"))
UNKNOWN = TrackLabels(dispositions=("default", "comment"))
TRACKS = (ENGLISH, GERMAN, UNKNOWN)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (Tracks.FIRST, (ENGLISH,)),
        (Tracks.ALL, TRACKS),
        (("ger", "eng"), (GERMAN, ENGLISH)),
        (("deu", "ger"), (GERMAN,)),
        (("und",), (UNKNOWN,)),
        (("fra",), ()),
    ],
)
def test_tracks_are_chosen_by_place_or_by_language(
    wanted: Any, chosen: tuple[TrackLabels, ...]
) -> None:
    assert choose_tracks(wanted, TRACKS) == chosen


def test_languages_that_are_not_there_are_known() -> None:
    assert missing(("fra", "deu", "und"), TRACKS) == ("fra",)
    assert missing(Tracks.ALL, ()) == ()


def test_at_most_one_track_is_the_default() -> None:
    assert dispositions_of(TRACKS, one_is_default=True) == [(), ("default", "dub"), ("comment",)]
    assert dispositions_of([ENGLISH, ENGLISH], one_is_default=True) == [("default",), ()]
    assert dispositions_of([ENGLISH, ENGLISH], one_is_default=False) == [(), ()]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    """Three sounds, of which the second is what players should choose."""
    path = tmp_path_factory.mktemp("tracks") / "film.mkv"
    tones = [f"sine=frequency={hertz}:sample_rate=48000:duration=1" for hertz in (300, 600, 900)]
    inputs = [word for graph in tones for word in ("-f", "lavfi", "-i", graph)]
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x64:rate=25:duration=1", *inputs),
        *("-map", "0", "-map", "1", "-map", "2", "-map", "3"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-ac:a:1", "6"),
        *("-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=Director's comment"),
        *("-metadata:s:a:1", "language=ger", "-metadata:s:a:2", "language=fre"),
        *("-disposition:a:0", "comment", "-disposition:a:1", "default", "-disposition:a:2", "dub"),
        path,
    )
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
async def test_all_sounds_keep_their_languages_titles_and_purposes(
    suffix: str, film: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a{suffix}"
    job = spec(film, target, audio=Audio(tracks=Tracks.ALL))
    outcome = await run_job(job, toolbox)
    (output,) = assert_published(outcome, target)
    with av.open(target) as made:
        sounds = made.streams.audio
        assert [sound.layout.nb_channels for sound in sounds] == [1, 6, 1]
        assert [sound.language for sound in sounds] == ["eng", "ger", "fre"]
        titles = {sounds[0].metadata.get(word) for word in ("title", "name")}
        assert "Director's comment" in titles
        assert sounds[0].disposition & Disposition.comment or suffix == ".mp4"
        defaults = [bool(sound.disposition & Disposition.default) for sound in sounds]
        assert defaults == [False, True, False]
    assert output["audio"].startswith("aac 1ch eng, aac 6ch ")
    assert not outcome.warnings


async def test_languages_are_taken_in_the_order_in_which_they_are_named(
    film: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / "a.mkv"
    job = spec(film, target, audio=Audio(tracks=("fra", "jpn", "eng")))
    outcome = await run_job(job, toolbox)
    assert_published(outcome, target)
    with av.open(target) as made:
        assert [sound.language for sound in made.streams.audio] == ["fre", "eng"]
        assert made.streams.audio[0].disposition & Disposition.default
    assert outcome.warnings == ["the source has no sound in jpn"]


async def test_a_source_without_the_languages_that_are_named_is_refused(
    film: Path, toolbox: Toolbox, out: Path
) -> None:
    job = spec(film, out / "a.mkv", audio=Audio(tracks=("jpn",)))
    outcome = await run_job(job, toolbox)
    assert list(outcome.ended) == ["plan"]
    kind, reason = failure_of(outcome.last)
    assert kind is FailureKind.UNSUPPORTED
    assert "no sound in jpn" in reason
    assert "eng, deu, fra" in reason


async def test_what_would_break_a_manifest_is_taken_out_of_titles(
    ffmpeg: str, tmp_path: Path, toolbox: Toolbox
) -> None:
    path = tmp_path / "sound.mka"
    run(
        ffmpeg,
        *("-v", "error", "-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"),
        *("-metadata:s:a:0", "title=Di\x01rector\ufffe", path),
    )
    found = await toolbox.prober.listen(str(path), path.stat().st_size)
    assert isinstance(found, SoundSource), found
    assert [sound.title for sound in found.audio] == ["Director"]
