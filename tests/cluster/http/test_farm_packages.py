"""Packages that a real farm makes: to a folder and to a bucket, whole, and played as players do."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import av
import m3u8
import obstore
import pytest
from obstore.store import from_url

from ffrtmp_ray.media.encode.work import TextForm
from ffrtmp_ray.media.package.cues import Cue, read, write
from ffrtmp_ray.media.spec import Audio, Codec, Effort, JobSpec, Ladder, Rendition, Subtitles
from ffrtmp_ray.media.spec.images import Images, Poster, Sprite, Thumbnails
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.views import JobDetail
from tests.clips import AAC, X264
from tests.cluster.http.farm import HttpFarm
from tests.cluster.media import frame_times
from tests.media.encoding import run
from tests.media.playing import play

pytestmark = pytest.mark.timeout(300)

SECONDS = 4
CUES = [Cue(500, 1500, ("first",)), Cue(1750, 3500, ("second",))]
HEIGHTS = {"90p": 90, "44p": 44}
LADDER = Ladder(
    renditions=tuple(
        Rendition(name=name, codec=Codec.H264, height=height, crf=30, effort=Effort.FAST)
        for name, height in HEIGHTS.items()
    ),
    audio=Audio(),
    subtitles=Subtitles(),
    packaging=Packaging(dash=True, segment_seconds=2),
)
IMAGES = Images(
    poster=Poster(), thumbnails=Thumbnails(every=2), sprite=Sprite(every=1, columns=2, rows=2)
)
MPD = "{urn:mpeg:dash:schema:mpd:2011}"


@pytest.fixture(scope="module")
def film(root: Path, ffmpeg: str) -> Path:
    """It has a picture, a tone from its second second on, and subtitles."""
    path, text = root / "film.mkv", root / "film.srt"
    text.write_text(write(CUES, TextForm.SUBRIP))
    picture = f"testsrc2=size=320x180:rate=25:duration={SECONDS}"
    tone = f"aevalsrc='sin(2000*PI*t)*gte(t,1)':s=48000:d={SECONDS}"
    sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone, "-i", text)
    maps = ("-map", "0", "-map", "1", "-map", "2", "-metadata:s:s:0", "language=eng")
    run(ffmpeg, "-v", "error", *sources, *maps, *X264, *AAC, "-c:s", "srt", path)
    return path


def packaged(farm: HttpFarm, film: Path, output: str) -> JobDetail:
    """The completed job, made in two chunks, with nothing to warn of."""
    spec = JobSpec(input=str(film), output=output, ladder=LADDER, images=IMAGES, chunks=2)
    job = farm.client.wait(farm.client.submit(spec).id, timeout=60)
    assert job.state == "completed", job.failure
    assert job.warnings == ()
    return job


def assert_whole(job: JobDetail, folder: Path) -> None:
    """All that the job names is in `folder` as it says, and manifests name nothing else."""
    base = job.output.rstrip("/") + "/"
    files = {path for path in folder.rglob("*") if path.is_file()}
    for output in job.outputs:
        assert _bytes(folder / output.path.removeprefix(base)) == output.bytes, output
    named = _named_by_hls(folder) | _named_by_dash(folder)
    assert named <= files
    media = {path for path in files if path.suffix in (".m4s", ".mp4")}
    assert media == {path for path in named if path.suffix in (".m4s", ".mp4")}


def _bytes(path: Path) -> int:
    """Of a file, or of the media in a folder."""
    files = [path] if path.is_file() else [*path.glob("*.m4s"), *path.glob("*.mp4")]
    files += path.glob("0*.vtt")
    return sum(each.stat().st_size for each in files)


def _named_by_hls(folder: Path) -> set[Path]:
    master = m3u8.load(str(folder / "master.m3u8"))
    kinds = {media.type for media in master.media}
    assert kinds == {"AUDIO", "SUBTITLES"}
    assert [each.stream_info.resolution for each in master.playlists] == [(160, 90), (78, 44)]
    playlists = [folder / each.uri for each in (*master.playlists, *master.media)]
    found = set(playlists)
    for path in playlists:
        playlist = m3u8.load(str(path))
        assert playlist.is_endlist
        assert sum(each.duration for each in playlist.segments) == pytest.approx(SECONDS, abs=0.1)
        found |= {path.parent / each.uri for each in playlist.segments}
        found |= {path.parent / each.uri for each in playlist.segment_map}
    return found


def _named_by_dash(folder: Path) -> set[Path]:
    root = ET.parse(folder / "manifest.mpd").getroot()  # noqa: S314  # the product made it
    found = {folder / str(each.text) for each in root.iter(f"{MPD}BaseURL")}
    for template in root.iter(f"{MPD}SegmentTemplate"):
        owners = [each for each in root.iter(f"{MPD}AdaptationSet") if template in each.iter()]
        for representation in owners[0].iter(f"{MPD}Representation"):
            found |= _named_by_template(folder, template, representation.get("id", ""))
    return found


def _named_by_template(folder: Path, template: ET.Element, identity: str) -> set[Path]:
    count = sum(1 + int(each.get("r", "0")) for each in template.iter(f"{MPD}S"))
    first = int(template.get("startNumber", "1"))
    media, init = template.attrib["media"], template.attrib["initialization"]
    names = [
        init,
        *(media.replace("$Number%05d$", f"{n:05d}") for n in range(first, first + count)),
    ]
    return {folder / name.replace("$RepresentationID$", identity) for name in names}


def assert_plays(folder: Path, film: Path, ffmpeg: str, scratch: Path) -> None:
    """Each rendition decodes by both manifests: every frame at its time, with its sound."""
    source = [pytest.approx(float(each), abs=1e-5) for each in frame_times(film)]
    for manifest in ("master.m3u8", "manifest.mpd"):
        for number in range(len(HEIGHTS)):
            played = play(ffmpeg, folder / manifest, scratch, picture=number)
            assert played.times == source
            assert played.beep == pytest.approx(1, abs=0.01)


def assert_shows(folder: Path) -> None:
    """Images have their sizes, and subtitles all their cues."""
    assert _size(folder / "poster.jpg") == (320, 180)
    thumbnails = sorted(folder.glob("thumbnail-*.jpg"))
    assert [_size(each) for each in thumbnails] == [(320, 180)] * 2
    assert _size(folder / "sprite-000.jpg") == (160 * 2, 90 * 2)
    segments = sorted((folder / "text/0").glob("0*.vtt"))
    cues = dict.fromkeys(cue for each in segments for cue in read(each.read_text()))
    assert list(cues) == CUES


def _size(image: Path) -> tuple[int, int]:
    with av.open(str(image)) as container:
        frame = next(container.decode(video=0))
    return frame.width, frame.height


def test_a_ladder_becomes_a_folder_that_hls_and_dash_players_play(
    farm: HttpFarm, film: Path, root: Path, ffmpeg: str, tmp_path: Path
) -> None:
    folder = root / "stream"
    job = packaged(farm, film, str(folder))
    assert_whole(job, folder)
    assert_plays(folder, film, ffmpeg, tmp_path)
    assert_shows(folder)


def test_the_same_is_put_into_a_bucket_whole(
    farm: HttpFarm, film: Path, bucket: str, ffmpeg: str, tmp_path: Path
) -> None:
    job = packaged(farm, film, f"{bucket}/films/stream")
    store, folder = from_url(bucket), tmp_path / "fetched"
    for page in obstore.list(store, prefix="films/stream"):
        for meta in page:
            copy = folder / meta["path"].removeprefix("films/stream/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(bytes(obstore.get(store, meta["path"]).bytes()))
    assert {urlsplit(output.path).scheme for output in job.outputs} == {"s3"}
    assert_whole(job, folder)
    assert_plays(folder, film, ffmpeg, tmp_path)
    assert_shows(folder)
