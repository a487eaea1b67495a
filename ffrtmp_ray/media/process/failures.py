"""What the end of an ffmpeg means: an exit becomes a failure with a reason for a person.

Pure and table-driven. ffmpeg's exit status is the low byte of the error it ended with, and what
happened stands in its log; the rules go from what is certain to what may be a consequence.
"""

from __future__ import annotations

import errno
import re
import signal
from dataclasses import dataclass

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.process.runner import Ending, Exit


@dataclass(frozen=True, slots=True)
class _Rule:
    """Applies when the log has a line that matches `line`, or the exit status is in `codes`."""

    kind: FailureKind
    what: str
    """The start of the reason; the line that told is quoted after it."""
    line: re.Pattern[str]
    codes: frozenset[int] = frozenset()


def _rule(kind: FailureKind, what: str, pattern: str, *codes: int) -> _Rule:
    return _Rule(kind, what, re.compile(pattern, re.IGNORECASE), frozenset(codes))


def _status(error: int) -> int:
    """The exit status that ffmpeg makes of AVERROR(`error`)."""
    return -error & 0xFF


_INVALID_DATA = 183
"""Low byte of AVERROR_INVALIDDATA (libavutil/error.h)."""
_NOT_FOUND = 8
"""Low byte of AVERROR_ENCODER_NOT_FOUND and its kin: the tag begins with 0xF8."""
_TOO_MANY_DECODE_ERRORS = 69
"""FFMPEG_ERROR_RATE_EXCEEDED (fftools/ffmpeg.h)."""

_MEMORY = _rule(
    FailureKind.OVER_LIMIT,
    "it needs more memory than one process may have",
    r"cannot allocate memory|malloc of size \d+ failed|memory allocation (failure|error)"
    r"|pthread_create\(\) failed|insufficient resources|std::bad_alloc",
    _status(errno.ENOMEM),
)
"""A machine that runs out of memory kills; an allocation fails at the limit."""

_NOTHING = _rule(
    FailureKind.BAD_INPUT,
    "nothing of the input's picture or sound can be decoded",
    r"no filtered frames for output stream",
)
"""Filters of libavfilter crash where no frame comes before the end."""

RULES: tuple[_Rule, ...] = (
    _rule(
        FailureKind.OUT_OF_DISK,
        "there is no space left where the output is written",
        r"no space left on device|disk quota exceeded",
        _status(errno.ENOSPC),
        _status(errno.EDQUOT),
    ),
    _rule(
        FailureKind.UNSUPPORTED,
        "the GPU's encoder cannot make this picture",
        r"_nvenc.*(not supported|exceeds|doesn't support)",
    ),
    _rule(
        FailureKind.OUT_OF_GPU_SESSIONS,
        "the GPU has no free encoder",
        r"OpenEncodeSessionEx failed|no capable devices found|CUDA_ERROR_|cannot load libcuda"
        r"|_nvenc.*out of memory|required nvenc API version|cannot load libnvidia-encode",
    ),
    _rule(
        FailureKind.OVER_LIMIT,
        "the picture is larger than is allowed",
        r"exceeds specified max pixel count",
    ),
    _rule(
        FailureKind.UNSUPPORTED,
        "this ffmpeg cannot do what is asked of it",
        r"unknown (encoder|decoder)|(encoder|decoder|filter|muxer|demuxer) not found"
        r"|no such filter|incompatible pixel format|unrecognized option|option not found"
        r"|specified pixel format .* (not supported|is invalid)|doesn't support \d:\d:\d"
        r"|decoding requested, but no decoder found|are supported for webm"
        r"|codec not currently supported in container|picture size .* is invalid",
        _NOT_FOUND,
    ),
    _rule(
        FailureKind.BAD_INPUT,
        "the input refers to a place that may not be read",
        r"not on whitelist|filename extension .* is not allowed",
    ),
    _rule(
        FailureKind.BAD_INPUT,
        "the input has no such stream",
        r"stream map .* matches no streams|does not contain any stream",
    ),
    _rule(
        FailureKind.BAD_INPUT,
        "the input cannot be opened",
        r"error opening input: (no such file|is a directory|permission denied)",
    ),
    _rule(
        FailureKind.BAD_INPUT,
        "the input is damaged or is no media file",
        r"moov atom not found|EBML header parsing failed|invalid data found"
        r"|could not find codec parameters|decode error rate .* exceeds",
        _INVALID_DATA,
        _TOO_MANY_DECODE_ERRORS,
    ),
    _MEMORY,
    _rule(
        FailureKind.CRASHED,
        "ffmpeg was ended from outside",
        r"exiting normally, received signal",
    ),
)


def classify(end: Exit) -> Failure:
    """What went wrong with the process that ended so.

    Raises ValueError when nothing did: it exited with 0, or was ordered to stop.
    """
    if end.ending is Ending.STALLED:
        return Failure(FailureKind.STALLED, "ffmpeg made no progress for too long and was ended")
    if end.ending is Ending.TIMED_OUT:
        return Failure(
            FailureKind.TIMED_OUT,
            "ffmpeg took longer than one attempt may, and was ended (`task_timeout_seconds` of the "
            "job, or else FFRTMP_TASK_TIMEOUT_SECONDS, says how long)",
        )
    if end.ending is Ending.OVERSPENT:
        return Failure(FailureKind.OVER_LIMIT, "ffmpeg used more CPU time than its task may take")
    if end.ending is Ending.STOPPED or end.code == 0:
        raise ValueError(f"no failure: {end.ending}, exit status {end.code}")
    lines = end.log.splitlines()
    if end.code < 0:
        return _killed(-end.code, lines)
    for rule in RULES:
        told = next((line for line in lines if rule.line.search(line)), None)
        if told is not None or end.code in rule.codes:
            return Failure(rule.kind, _sentence(rule.what, told or _first_error(lines)))
    what = f"ffmpeg ended with exit status {end.code}"
    return Failure(FailureKind.CRASHED, _sentence(what, _first_error(lines)))


def _killed(number: int, lines: list[str]) -> Failure:
    if number == signal.SIGXFSZ:
        return Failure(FailureKind.OVER_LIMIT, "a file grew larger than one attempt may write")
    for rule in (_MEMORY, _NOTHING):  # the first: libraries never check what malloc returns
        told = next((line for line in lines if rule.line.search(line)), None)
        if told is not None:
            quoted = told if rule is _MEMORY else _first_error(lines)
            return Failure(rule.kind, _sentence(rule.what, quoted))
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    reason = f"ffmpeg was killed by {name}"
    if number == signal.SIGKILL:
        reason += ", as happens when the machine runs out of memory"
    return Failure(FailureKind.CRASHED, reason)


def _first_error(lines: list[str]) -> str | None:
    """The first line that ffmpeg calls an error (later ones are consequences), else the last."""
    errors = (line for line in lines if re.search(r"\[(error|fatal|panic)\]", line))
    return next(errors, next((line for line in reversed(lines) if line.strip()), None))


def _sentence(what: str, line: str | None) -> str:
    quoted = _clean(line) if line is not None else ""
    return f"{what}: {quoted}" if quoted else what


def _clean(line: str) -> str:
    """A log line without who printed it (`[in#0 @ 0x55…] [error]`) and without folders."""
    line = re.sub(r"\[[^\]]* @ 0x[0-9a-f]+\]\s*|\[(warning|error|fatal|panic)\]:?\s*", "", line)
    line = re.sub(r"(?<![\w.])/(?:[^/\s'\":]+/)+", "", line)
    return line.strip().rstrip(".")
