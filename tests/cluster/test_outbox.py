"""Reports are kept until they are acknowledged."""

from ffrtmp_ray.cluster.outbox import Outbox
from ffrtmp_ray.core.messages import TaskStarted


def outbox_of(*attempts: str) -> Outbox:
    outbox = Outbox()
    for attempt_id in attempts:
        outbox.add(TaskStarted("w", attempt_id))
    return outbox


def test_a_report_is_given_again_until_it_is_acknowledged() -> None:
    outbox = outbox_of("a")
    assert outbox.kept == outbox.kept == ((1, TaskStarted("w", "a")),)
    outbox.acknowledge(1)
    assert outbox.kept == ()


def test_acknowledging_one_drops_it_and_all_before_it() -> None:
    outbox = outbox_of("a", "b", "c")
    outbox.acknowledge(2)
    assert [sequence for sequence, _ in outbox.kept] == [3]
    assert outbox.attempts == {"c"}


def test_a_late_acknowledgement_does_no_harm() -> None:
    outbox = outbox_of("a", "b")
    outbox.acknowledge(2)
    outbox.acknowledge(1)
    outbox.add(TaskStarted("w", "c"))
    assert [sequence for sequence, _ in outbox.kept] == [3]
