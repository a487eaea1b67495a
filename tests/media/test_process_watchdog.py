"""When a process counts as stalled."""

from ffrtmp_ray.media.process.progress import ProcessProgress
from ffrtmp_ray.media.process.watchdog import BUSY_BYTES, Effort, Watchdog

NONE = Effort()


def at(frame: int, seconds: float | None = None) -> ProcessProgress:
    return ProcessProgress(frame, seconds, None, None, None, False)


def test_a_process_that_does_nothing_is_stalled_at_the_deadline_and_not_before() -> None:
    watchdog = Watchdog(60, now=100)
    assert watchdog.deadline == 160
    assert not watchdog.stalled(NONE, now=159.9)
    assert watchdog.stalled(NONE, now=160)


def test_frames_and_time_both_put_the_deadline_off() -> None:
    watchdog = Watchdog(60, now=0)
    watchdog.observe(at(1), NONE, now=10)
    assert watchdog.deadline == 70
    watchdog.observe(at(1, 0.04), NONE, now=20)
    assert watchdog.deadline == 80


def test_status_that_gets_nowhere_does_not_nor_does_mere_cpu_time() -> None:
    watchdog = Watchdog(60, now=0)
    watchdog.observe(at(7, 1.5), NONE, now=10)
    watchdog.observe(at(7, 1.5), NONE, now=50)
    watchdog.observe(at(6, None), NONE, now=69)
    assert watchdog.stalled(Effort(cpu_seconds=500), now=70)


def test_an_encoder_that_works_on_its_first_packet_is_not_stalled() -> None:
    watchdog = Watchdog(60, now=0)
    assert not watchdog.stalled(Effort(cpu_seconds=6), now=60)
    assert watchdog.deadline == 120
    assert not watchdog.stalled(Effort(cpu_seconds=12), now=120)
    assert watchdog.stalled(Effort(cpu_seconds=13), now=180)


def test_a_process_that_writes_a_file_without_a_word_is_not_stalled() -> None:
    watchdog = Watchdog(60, now=0)
    watchdog.observe(at(7, 1.5), Effort(written_bytes=5 * BUSY_BYTES), now=10)
    assert not watchdog.stalled(Effort(written_bytes=6 * BUSY_BYTES), now=70)
    assert watchdog.deadline == 130
    assert watchdog.stalled(Effort(written_bytes=7 * BUSY_BYTES - 1), now=130)


def test_what_was_written_before_the_last_progress_is_no_sign_of_life() -> None:
    watchdog = Watchdog(60, now=0)
    watchdog.observe(at(7, 1.5), Effort(written_bytes=5 * BUSY_BYTES), now=10)
    assert watchdog.stalled(Effort(written_bytes=5 * BUSY_BYTES), now=70)
