"""HDR is kept with all that is said of it, or mapped to SDR, as each rendition asks for."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import av
import numpy as np
import pytest

from ffrtmp_ray.media.encode.light import BT709, light_options, tone_map
from ffrtmp_ray.media.encode.work import Color, Light, Mastering
from ffrtmp_ray.media.package.verify_color import color_faults
from ffrtmp_ray.media.probe.light import is_profile_5, mastering_of
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.spec import Codec, DynamicRange
from ffrtmp_ray.media.spec.packaging import Packaging
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import X264
from tests.media.encoding import run
from tests.media.pipeline import assert_published, encodes_of, rendition, run_job, spec
from tests.media.playing import published

PQ = Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc", range="tv")
P3_AT_1000 = Mastering(
    red=(34000, 16000),
    green=(13250, 34500),
    blue=(7500, 3000),
    white=(15635, 16450),
    darkest=50,
    brightest=10_000_000,
)
HDR10 = Light(mastering=P3_AT_1000, max_cll=1000, max_fall=200)
"""A usual display: P3 primaries, 0.005 to 1000 cd/m²."""

PICTURE = (
    "testsrc2=size=160x90:rate=25:duration=2,format=gbrp,lutrgb=r=val*0.8:g=val*0.8:b=val*0.8,"
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
)
"""Nothing in it is brighter than 0.6 of white."""
AT_203 = (
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv,"
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020,"
    "zscale=t=smpte2084:npl=203:m=bt2020nc:r=tv,format=yuv420p10le"
)
"""SDR as HDR productions place it: its white at 203 cd/m² (ITU-R BT.2408)."""


@pytest.fixture(scope="module")
def hdr10(tmp_path_factory: pytest.TempPathFactory, ffmpeg: str) -> Path:
    path = tmp_path_factory.mktemp("hdr") / "hdr10.mkv"
    params = "log-level=none:keyint=12:master-display=G(13250,34500)B(7500,3000)R(34000,16000)"
    params += "WP(15635,16450)L(10000000,50):max-cll=1000,200:hdr10=1:repeat-headers=1:crf=4"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"{PICTURE},{AT_203}"),
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params, path),
    )
    return path


async def looked_at(toolbox: Toolbox, path: Path) -> Source:
    found = await toolbox.prober.probe(path)
    assert isinstance(found, Source), found
    return found


def boxes(path: Path) -> Mapping[str, bool]:
    data = path.read_bytes()
    return {name: name.encode() in data for name in ("mdcv", "clli")}


@pytest.mark.parametrize(
    ("codec", "suffix"),
    [
        (Codec.HEVC, ".mp4"),
        (Codec.AV1, ".mp4"),
        (Codec.VP9, ".webm"),
    ],
)
async def test_what_is_said_of_light_reaches_every_output(
    codec: Codec, suffix: str, hdr10: Path, toolbox: Toolbox, out: Path
) -> None:
    target = out / f"a{suffix}"
    wanted = spec(hdr10, target, rendition(codec=codec)).model_copy(update={"chunks": 2})
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, target)
    assert (len(encodes_of(outcome)), outcome.replans) == (2, [])
    found = (await looked_at(toolbox, target)).video
    assert list(color_faults(PQ, HDR10, found)) == []
    if suffix == ".mp4":
        assert boxes(target) == {"mdcv": True, "clli": True}


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1, Codec.VP9])
async def test_what_is_said_of_light_reaches_the_header_of_segments(
    codec: Codec, hdr10: Path, toolbox: Toolbox, out: Path, tmp_path: Path
) -> None:
    """A player reads it before any frame, whatever the frames say themselves."""
    packaging = Packaging(segment_seconds=1)
    job = spec(hdr10, out / "p", rendition(codec=codec), packaging=packaging)
    published(await run_job(job.model_copy(update={"chunks": 2}), toolbox))
    folder = out / "p" / "video" / "a"
    assert boxes(folder / "init.mp4") == {"mdcv": True, "clli": True}
    played = tmp_path / "played.mp4"
    segments = sorted(folder.glob("*.m4s"))
    played.write_bytes(b"".join(part.read_bytes() for part in (folder / "init.mp4", *segments)))
    assert list(color_faults(PQ, HDR10, (await looked_at(toolbox, played)).video)) == []


@pytest.mark.parametrize("codec", [Codec.HEVC, Codec.AV1, Codec.VP9])
async def test_what_is_said_of_light_reaches_all_renditions(
    codec: Codec, hdr10: Path, toolbox: Toolbox, out: Path
) -> None:
    """Also those after one that is tone-mapped, or scaled for another."""
    ladder = [rendition(f"{height}p", codec=codec, height=height) for height in (90, 68, 46)]
    dark = rendition("sdr", codec=codec, height=90, dynamic_range=DynamicRange.SDR)
    suffix = "webm" if codec is Codec.VP9 else "mp4"
    fields = {"container": suffix} if suffix == "webm" else {}
    wanted = spec(hdr10, out / "a", dark, *ladder, **fields)
    targets = [out / f"a/{each.name}.{suffix}" for each in (dark, *ladder)]
    assert_published(await run_job(wanted, toolbox), *targets)
    lights = [(await looked_at(toolbox, path)).video.light for path in targets]
    assert lights == [None, HDR10, HDR10, HDR10]


async def test_one_ladder_has_hdr_and_sdr(hdr10: Path, toolbox: Toolbox, out: Path) -> None:
    wanted = spec(
        hdr10,
        out / "both",
        rendition("hdr", codec=Codec.HEVC),
        rendition("sdr", dynamic_range=DynamicRange.SDR),
    )
    outcome = await run_job(wanted, toolbox)
    assert_published(outcome, out / "both/hdr.mp4", out / "both/sdr.mp4")
    assert "HDR is tone-mapped to SDR in sdr" in outcome.warnings
    kept = (await looked_at(toolbox, out / "both/hdr.mp4")).video
    mapped = (await looked_at(toolbox, out / "both/sdr.mp4")).video
    assert (kept.color, kept.bit_depth, kept.light) == (PQ, 10, HDR10)
    assert (mapped.color, mapped.bit_depth, mapped.light) == (BT709, 8, None)
    assert boxes(out / "both/sdr.mp4") == {"mdcv": False, "clli": False}


async def test_what_was_made_from_sdr_comes_back(
    hdr10: Path, toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    original, target = tmp_path / "sdr.mp4", out / "a.mp4"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", PICTURE, *X264, "-crf", "4", original)
    sdr = rendition(crf=4, dynamic_range=DynamicRange.SDR)
    assert_published(await run_job(spec(hdr10, target, sdr), toolbox), target)
    assert psnr(luma(original), luma(target)) > 30  # Hable: 18


def luma(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="gray").astype(float)


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one - other) ** 2)))


async def test_a_source_that_is_sdr_stays_as_it_is(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip = tmp_path / "sdr.mp4"
    run(ffmpeg, "-v", "error", "-f", "lavfi", "-i", PICTURE, *X264, clip)
    for name, kind in (("a", DynamicRange.KEEP), ("b", DynamicRange.SDR)):
        await run_job(
            spec(clip, out / f"{name}.mp4", rendition(dynamic_range=kind)), toolbox, job=name
        )
    assert (out / "a.mp4").read_bytes() == (out / "b.mp4").read_bytes()


# ------------------------------------------------------------------------------ pure parts


def test_light_is_stated_in_ffmpegs_words() -> None:
    assert light_options(HDR10) == [
        "-mastering_display",
        "G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)",
        "-content_light",
        "1000,200",
    ]
    assert light_options(Light(max_cll=400)) == ["-content_light", "400,0"]
    assert light_options(None) == []


@pytest.mark.parametrize(
    ("light", "peak"),
    [
        (HDR10, 1000 / 203),
        (Light(mastering=P3_AT_1000.model_copy(update={"brightest": 40_000_000})), 4000 / 203),
        (Light(mastering=P3_AT_1000.model_copy(update={"brightest": 1000})), 1000 / 203),
        (None, 1000 / 203),
    ],
)
def test_the_peak_is_what_the_source_says_where_that_can_be(
    light: Light | None, peak: float
) -> None:
    (tonemap,) = [part for part in tone_map(PQ, light) if part.startswith("tonemap")]
    assert f"peak={peak:.4f}" in tonemap


def test_colours_that_are_not_stated_are_read_as_those_of_hdr() -> None:
    first = tone_map(Color(transfer="arib-std-b67"), None)[0]
    assert first.startswith("zscale=pin=bt2020:tin=arib-std-b67:min=bt2020nc:rin=tv:")


def mastering_bytes(*, complete: bool = True) -> bytes:
    """As libavutil lays it out, with denominators as decoders of HEVC give them."""
    points = [*P3_AT_1000.red, *P3_AT_1000.green, *P3_AT_1000.blue, *P3_AT_1000.white]
    terms = [(point, 50_000) for point in points] + [(50, 10_000), (1000, 1)]
    return struct.pack("=20i2i", *(each for term in terms for each in term), 1, complete)


def test_a_mastering_display_is_read_in_its_own_units() -> None:
    assert mastering_of(mastering_bytes()) == P3_AT_1000
    assert mastering_of(mastering_bytes(complete=False)) is None


@pytest.mark.parametrize(
    ("rpu_profile", "full_range", "five"), [(0, 1, True), (0, 0, False), (1, 0, False)]
)
def test_dolby_vision_without_a_base_layer_is_told_by_its_header(
    rpu_profile: int, full_range: int, five: bool
) -> None:
    header = struct.pack("=BxHBBBBBBB", 2, 18, rpu_profile, 0, 0, 0, 23, 1, full_range)
    assert is_profile_5(struct.pack("=Q", 24) + bytes(16) + header) is five


async def test_verification_sees_light_and_colours_that_are_missing(
    hdr10: Path, toolbox: Toolbox
) -> None:
    video = (await looked_at(toolbox, hdr10)).video
    assert list(color_faults(PQ, HDR10, video)) == []
    bare = video.model_copy(update={"light": None, "color": Color(transfer="bt709")})
    assert len(list(color_faults(PQ, HDR10, bare))) == 5
    other = replace_brightest(20_000_000)
    assert list(color_faults(PQ, other, video)) == [
        "its mastering display is not that of the source"
    ]


def replace_brightest(units: int) -> Light:
    display = P3_AT_1000.model_copy(update={"brightest": units})
    return HDR10.model_copy(update={"mastering": display})


async def test_light_levels_without_a_display_reach_av1(
    toolbox: Toolbox, out: Path, tmp_path: Path, ffmpeg: str
) -> None:
    clip, target = tmp_path / "levels.mkv", out / "a.mp4"
    params = "log-level=none:max-cll=1000,200"
    run(
        *(ffmpeg, "-v", "error", "-f", "lavfi", "-i", f"{PICTURE},{AT_203}", "-t", "0.5"),
        *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", params, clip),
    )
    assert_published(await run_job(spec(clip, target, rendition(codec=Codec.AV1)), toolbox), target)
    found = (await looked_at(toolbox, target)).video
    assert found.light == Light(max_cll=1000, max_fall=200)
