"""What the ends of real ffmpegs are taken for. The logs are pasted from FFmpeg 9."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.process.failures import classify
from ffrtmp_ray.media.process.runner import Ending, Exit

TRUNCATED = """\
[in#0 @ 0x55ce7021f880] [error] moov atom not found
[in#0 @ 0x55ce7021f540] [error] Error opening input: Invalid data found when processing input
[error] Error opening input file /srv/in/trunc.mp4.
[fatal] Error opening input files: Invalid data found when processing input
"""
MISSING = """\
[in#0 @ 0x560c238a1540] [error] Error opening input: No such file or directory
[error] Error opening input file nope.mp4.
[fatal] Error opening input files: No such file or directory
"""
DAMAGED = """\
[vp9 @ 0x5621e16769c0] [error] frame_sync_byte_0 out of range: 220, but must be in [73,73].
[vp9 @ 0x5621e16769c0] [error] Failed to read unit 0 (type 0): Invalid data found when processing input.
[vp9 @ 0x5621e16769c0] [error] Failed to read frame header.
"""  # noqa: E501  # as ffmpeg wrote it
NO_VIDEO = """\
[in#0 @ 0x5565647668c0] [warning] UDTA parsing failed retrying raw
[fatal] Stream map '' matches no streams.
To ignore this, add a trailing '?' to the map.
[error] Failed to set value '0:v:0' for option 'map': Invalid argument
[error] Error parsing options for output file -.
[fatal] Error opening output files: Invalid argument
"""
WHITELIST = """\
[file @ 0x560e712401c0] [error] Protocol 'file' not on whitelist 'crypto'!
[in#0 @ 0x560e7123f600] [error] Error opening input: Invalid argument
"""
NO_ENCODER = """\
[vost#0:0 @ 0x5654cba1b240] [fatal] Unknown encoder 'libfoo'
[vost#0:0 @ 0x5654cba1b240] [fatal] Error selecting an encoder
[error] Error opening output file /srv/space/o1.mp4.
[fatal] Error opening output files: Encoder not found
"""
PROFILE = """\
x264 [error]: high profile doesn't support 4:4:4
[libx264 @ 0x5621a7f0bd00] [error] Error setting profile high.
[vf#0:0 @ 0x5621a7f0c0c0] [error] Error sending frames to consumers: Invalid argument
"""
WEBM = """\
[webm @ 0x5585205bcb40] [error] Only VP8 or VP9 or AV1 video and Vorbis or Opus audio and WebVTT subtitles are supported for WebM.
[out#0/webm @ 0x5585205bca00] [error] Could not write header (incorrect codec parameters ?): Invalid argument
"""  # noqa: E501  # as ffmpeg wrote it
FULL = """\
[out#0/mp4 @ 0x557203b77a00] [error] Could not write header (incorrect codec parameters ?): No space left on device
[vf#0:0 @ 0x557203b4e740] [error] Error sending frames to consumers: No space left on device
"""  # noqa: E501  # as ffmpeg wrote it
NO_CUDA = """\
[h264_nvenc @ 0x558a84d29d80] [error] Cannot load libcuda.so.1
[vost#0:0/h264_nvenc @ 0x558a84c78b80] [enc:h264_nvenc @ 0x558a84c9f400] [error] Error while opening encoder - maybe incorrect parameters such as bit_rate, rate, width or height.
[vf#0:0 @ 0x558a84cdf380] [error] Error sending frames to consumers: Operation not permitted
"""  # noqa: E501  # as ffmpeg wrote it
SESSIONS = """\
[h264_nvenc @ 0x55d0c6c0a4c0] [error] OpenEncodeSessionEx failed: out of memory (10): (no details)
[h264_nvenc @ 0x55d0c6c0a4c0] [error] No capable devices found
"""
NVENC_10_BIT = """\
[h264_nvenc @ 0x55d0c6c0a4c0] [error] 10 bit encode not supported
[h264_nvenc @ 0x55d0c6c0a4c0] [error] No capable devices found
"""
SIGTERM = "Exiting normally, received signal 15.\n"

EXITS = {
    "truncated file": (183, TRUNCATED, FailureKind.BAD_INPUT, "moov atom not found"),
    "missing file": (254, MISSING, FailureKind.BAD_INPUT, "No such file or directory"),
    "damaged picture": (69, DAMAGED, FailureKind.BAD_INPUT, "Invalid data found"),
    "no video": (234, NO_VIDEO, FailureKind.BAD_INPUT, "matches no streams"),
    "forbidden protocol": (234, WHITELIST, FailureKind.BAD_INPUT, "not on whitelist 'crypto'"),
    "unknown encoder": (8, NO_ENCODER, FailureKind.UNSUPPORTED, "Unknown encoder 'libfoo'"),
    "profile": (234, PROFILE, FailureKind.UNSUPPORTED, "high profile doesn't support 4:4:4"),
    "codec and container": (234, WEBM, FailureKind.UNSUPPORTED, "Only VP8 or VP9 or AV1"),
    "full disk": (228, FULL, FailureKind.OUT_OF_DISK, "No space left on device"),
    "full disk, log lost": (228, "", FailureKind.OUT_OF_DISK, "no space left"),
    "no CUDA": (255, NO_CUDA, FailureKind.OUT_OF_GPU_SESSIONS, "Cannot load libcuda.so.1"),
    "sessions": (255, SESSIONS, FailureKind.OUT_OF_GPU_SESSIONS, "OpenEncodeSessionEx failed"),
    "10 bit on NVENC": (255, NVENC_10_BIT, FailureKind.UNSUPPORTED, "10 bit encode not supported"),
    "ended by somebody": (255, SIGTERM, FailureKind.CRASHED, "received signal 15"),
    "anything else": (1, "[error] It is Monday.\n", FailureKind.CRASHED, "It is Monday"),
    "no word at all": (127, "", FailureKind.CRASHED, "exit status 127"),
}


@pytest.mark.parametrize("name", EXITS)
def test_an_exit_becomes_a_failure_that_quotes_the_telling_line(name: str) -> None:
    code, log, kind, words = EXITS[name]
    failure = classify(Exit(code, Ending.EXITED, log))
    assert failure.kind is kind
    assert words in failure.reason


@pytest.mark.parametrize("name", EXITS)
def test_a_reason_is_one_line_for_a_person(name: str) -> None:
    code, log, _, _ = EXITS[name]
    reason = classify(Exit(code, Ending.EXITED, log)).reason
    assert "\n" not in reason
    assert "0x" not in reason
    assert "[error]" not in reason


def test_folders_are_left_out_of_a_reason() -> None:
    log = "[out#0/mp4 @ 0x55] [fatal] Error opening output /srv/ws/job/o2.mp4: Permission denied"
    reason = classify(Exit(243, Ending.EXITED, log)).reason
    assert reason.endswith("Error opening output o2.mp4: Permission denied")


def test_a_full_disk_outweighs_the_damage_that_was_logged_before_it() -> None:
    failure = classify(Exit(228, Ending.EXITED, DAMAGED + FULL))
    assert failure.kind is FailureKind.OUT_OF_DISK


@pytest.mark.parametrize(
    ("code", "words"),
    [(-11, "SIGSEGV"), (-9, "SIGKILL, as happens when the machine runs out of memory")],
)
def test_a_process_killed_by_a_signal_has_crashed(code: int, words: str) -> None:
    failure = classify(Exit(code, Ending.EXITED, TRUNCATED))
    assert failure.kind is FailureKind.CRASHED
    assert words in failure.reason


def test_a_filter_that_crashes_for_want_of_frames_means_a_bad_input() -> None:
    """As setpts does, for one."""
    log = (
        "[aist#0:1/aac @ 0x1] [dec:aac @ 0x2] [error] Decoding error: Invalid data found\n"
        "[fc#0 @ 0x3] [ao0->fg:1:0 @ 0x4] [warning] No filtered frames for output stream, trying"
        " to initialize anyway.\n"
    )
    failure = classify(Exit(-11, Ending.EXITED, log))
    assert failure.kind is FailureKind.BAD_INPUT
    assert failure.reason == (
        "nothing of the input's picture or sound can be decoded: Decoding error: Invalid data found"
    )


@pytest.mark.parametrize(
    ("ending", "kind"),
    [(Ending.STALLED, FailureKind.STALLED), (Ending.TIMED_OUT, FailureKind.TIMED_OUT)],
)
def test_what_we_ended_is_called_by_why_we_did(ending: Ending, kind: FailureKind) -> None:
    assert classify(Exit(255, ending, TRUNCATED)).kind is kind


def test_who_is_ended_for_its_time_hears_what_limits_it() -> None:
    assert "`task_timeout_seconds`" in classify(Exit(255, Ending.TIMED_OUT, "")).reason


@pytest.mark.parametrize("end", [Exit(0, Ending.EXITED, ""), Exit(-15, Ending.STOPPED, "")])
def test_a_good_end_and_an_ordered_one_are_no_failures(end: Exit) -> None:
    with pytest.raises(ValueError, match="no failure"):
        classify(end)


REAL = {
    "a text file": ("-i {text} -f null -", FailureKind.BAD_INPUT),
    "a folder": ("-i {folder} -f null -", FailureKind.BAD_INPUT),
    "an encoder that does not exist": (
        "-f lavfi -i testsrc2=d=0.1 -c:v libfoo -f null -",
        FailureKind.UNSUPPORTED,
    ),
    "a disk without room": (
        "-f lavfi -i testsrc2=d=0.1 -f mpegts /dev/full",
        FailureKind.OUT_OF_DISK,
    ),
    "a GPU that is not there": (
        "-f lavfi -i testsrc2=d=0.1 -c:v h264_nvenc -gpu 99 -f null -",
        FailureKind.OUT_OF_GPU_SESSIONS,
    ),
}


@pytest.mark.parametrize("name", REAL)
def test_the_ffmpeg_that_is_installed_still_speaks_these_words(name: str, tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("hello\n")
    arguments, kind = REAL[name]
    argv = [argument.format(text=text, folder=tmp_path) for argument in arguments.split()]
    ended = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "level+warning", "-y", *argv],
        capture_output=True,
        text=True,
        check=False,
    )
    assert classify(Exit(ended.returncode, Ending.EXITED, ended.stderr)).kind is kind
