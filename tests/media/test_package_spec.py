"""What a package may be asked to be; the rest is refused before anything is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan import check_spec
from ffrtmp_ray.media.plan.outputs import audio_for, output_kind
from ffrtmp_ray.media.presets import load
from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec, Container, JobSpec, Ladder
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from tests.media.pipeline import rendition


def _ladder(codec: Codec = Codec.H264, **fields: Any) -> Ladder:
    return Ladder(renditions=(rendition(codec=codec),), **fields)


def _spec(output: str, ladder: Ladder) -> JobSpec:
    return JobSpec(input="/in/a.mp4", output=output, ladder=ladder)


def _refusal(spec: JobSpec) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_spec(spec)
    return caught.value


def test_a_package_is_a_folder_even_of_one_rendition() -> None:
    ladder = _ladder(packaging=Packaging())
    check_spec(_spec("/out/stream", ladder))
    for output in ("/out/a.mp4", "/out/a.m3u8", "/out/a.MPD"):
        assert "folder" in _refusal(_spec(output, ladder)).message


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1, Codec.VP9])
def test_transport_streams_hold_h264_alone(codec: Codec) -> None:
    transport = Packaging(hls=HlsSegments.TS)
    check_spec(_spec("/out/a", _ladder(packaging=transport)))
    refusal = _refusal(_spec("/out/a", _ladder(codec, packaging=transport)))
    assert refusal.where == "ladder.renditions[0].codec"
    assert "fmp4" in str(refusal.remedy)


def test_transport_streams_hold_aac_alone() -> None:
    audio = Audio(codec=AudioCodec.OPUS)
    ladder = _ladder(packaging=Packaging(hls=HlsSegments.TS), audio=audio)
    assert _refusal(_spec("/out/a", ladder)).where == "ladder.audio.codec"
    check_spec(_spec("/out/a", _ladder(packaging=Packaging(), audio=audio)))


def test_transport_streams_have_six_channels_at_most() -> None:
    """AAC of eight cannot be written there."""
    transport = Packaging(hls=HlsSegments.TS)
    ladder = _ladder(packaging=transport, audio=Audio(channels=8))
    refusal = _refusal(_spec("/out/a", ladder))
    assert refusal.where == "ladder.audio.channels"
    assert refusal.remedy == "give 6 or fewer, or set `packaging.hls` to fmp4"
    kind = output_kind("/out/a", ladder, None)
    assert [audio_for(kind, Audio(), count).channels for count in (2, 6, 7, 8)] == [
        None,
        None,
        6,
        6,
    ]
    fmp4 = output_kind("/out/a", _ladder(packaging=Packaging()), None)
    assert audio_for(fmp4, Audio(), 8).channels is None


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hls": "none"}, "dash"),
        ({"hls": "ts", "dash": True}, "fmp4"),
        ({"segment_seconds": 0.5}, "segment_seconds"),
    ],
)
def test_a_package_that_cannot_be_is_refused(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Packaging(**fields)


def test_a_package_has_no_container_of_ones_own() -> None:
    with pytest.raises(ValidationError, match="container"):
        _ladder(packaging=Packaging(), container=Container.MP4)


@pytest.mark.parametrize("name", ["hls-h264", "hls-hevc", "hls-av1"])
def test_the_presets_make_hls_and_dash_of_the_same_segments(name: str) -> None:
    ladder = load(name).ladder
    assert ladder.packaging == Packaging(hls=HlsSegments.FMP4, dash=True)
    assert {rendition.codec for rendition in ladder.renditions} == {
        Codec(name.removeprefix("hls-"))
    }
    check_spec(_spec("/out/stream", ladder))
