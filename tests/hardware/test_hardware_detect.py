"""Which encoders work here is found by trying them, with the real ffmpeg and with broken ones."""

from pathlib import Path

from ffrtmp_ray.hardware.detect import TRIALS_AT_A_TIME, capabilities

CPU_ENCODERS = {
    *("libx264", "libx265", "libsvtav1", "libvpx-vp9", "libvmaf"),
    *("aac", "libopus", "libmp3lame", "flac", "pcm_s16le"),
}
GPU_ENCODERS = {"h264_nvenc", "hevc_nvenc", "av1_nvenc"}


def program(path: Path, script: str) -> str:
    path.write_text("#!/bin/sh\n" + script)
    path.chmod(0o755)
    return str(path)


async def test_the_ffmpeg_of_the_installation_has_every_encoder_for_cpus(ffmpeg: str) -> None:
    found = await capabilities(ffmpeg, None)
    assert found.refusals == {}
    assert found.capabilities == CPU_ENCODERS


async def test_a_gpu_that_is_not_there_can_do_nothing_and_says_why(ffmpeg: str) -> None:
    found = await capabilities(ffmpeg, 99)
    assert found.capabilities == frozenset()
    assert set(found.refusals) == GPU_ENCODERS
    assert all("the GPU has no free encoder" in why for why in found.refusals.values())


async def test_only_the_encoder_that_fails_is_missing(ffmpeg: str, tmp_path: Path) -> None:
    lame = program(
        tmp_path / "ffmpeg",
        f"""case "$*" in *libsvtav1*)
            echo "[vost#0:0 @ 0x5] [fatal] Unknown encoder 'libsvtav1'" >&2; exit 8;; esac
        exec {ffmpeg} "$@"
        """,
    )
    found = await capabilities(lame, None)
    assert found.capabilities == CPU_ENCODERS - {"libsvtav1"}
    assert list(found.refusals) == ["libsvtav1"]
    assert "Unknown encoder 'libsvtav1'" in found.refusals["libsvtav1"]


async def test_a_program_that_is_no_ffmpeg_can_do_nothing(tmp_path: Path) -> None:
    found = await capabilities(program(tmp_path / "ffmpeg", "exit 1"), None)
    assert found.capabilities == frozenset()
    assert set(found.refusals) == CPU_ENCODERS


async def test_only_so_many_trials_run_at_a_time(tmp_path: Path) -> None:
    """Each trial notes how many run beside it."""
    running = tmp_path / "running"
    running.mkdir()
    seen = tmp_path / "seen"
    script = f"touch {running}/$$; ls {running} | wc -l >> {seen}; sleep 0.2; rm {running}/$$"
    await capabilities(program(tmp_path / "ffmpeg", script), None)
    most = max(int(line) for line in seen.read_text().split())
    assert 1 < most <= TRIALS_AT_A_TIME
