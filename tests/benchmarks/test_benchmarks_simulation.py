"""The simulated farm: it is the same for every decider, it can be had again, and it adds up."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from benchmarks.simulate import simulate, sized
from benchmarks.simulation.arrivals import arrivals
from benchmarks.simulation.farm import Farm, Overcommitted
from benchmarks.simulation.ledger import nearest_rank
from benchmarks.simulation.report import lines, wait_ratios
from benchmarks.simulation.scenario import Luck
from benchmarks.simulation.scenarios import SCENARIOS
from benchmarks.simulation.summary import Summary, fairness
from ffrtmp_ray.core.messages import AttemptAdded, Event, JobSubmitted, Level, Outcome, Sync
from ffrtmp_ray.core.model import Attempt, Requirement, Resources

OF_THE_MACHINE = ("decisions_per_second", "decider_seconds", "peak_memory_bytes")


def small(name: str, jobs: int = 150, workers: int = 6, decider: str = "engine") -> Summary:
    return simulate(sized(SCENARIOS[name], jobs, workers), decider)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_engine_keeps_its_invariants_in_every_scenario(name: str) -> None:
    scenario = sized(SCENARIOS[name], jobs=120, workers=20)
    found = simulate(scenario, "engine", check=20)
    assert found.completed + found.failed + found.unfinished == 120 + (scenario.lone is not None)
    assert bool(found.unfinished) is not scenario.to_the_end


@pytest.mark.parametrize("decider", ["engine", "fifo"])
def test_the_same_seed_tells_the_same_story(decider: str) -> None:
    first, second = (asdict(small("failures", decider=decider)) for _ in range(2))
    for numbers in (first, second):
        for name in OF_THE_MACHINE:
            del numbers[name]
    assert first == second


def test_the_same_jobs_come_to_both_deciders() -> None:
    ours, plain = small("burst"), small("burst", decider="fifo")
    assert {name: each.count for name, each in ours.waits.items()} == {
        name: each.count for name, each in plain.waits.items()
    }


def test_live_jobs_do_not_wait_behind_a_burst_as_they_do_in_a_plain_queue() -> None:
    ratios = wait_ratios(small("burst", 600, 12), small("burst", 600, 12, decider="fifo"))
    assert ratios["live/medium"]["p95"] > 20.0


def test_work_for_gpus_holds_up_no_cpus_as_it_does_in_a_plain_queue() -> None:
    ours, plain = small("gpu-scarce", 400, 20), small("gpu-scarce", 400, 20, decider="fifo")
    assert ours.cpu_utilization > plain.cpu_utilization
    assert ours.waits["default/high"].p95 < plain.waits["default/high"].p95 / 10.0


def test_two_owners_get_service_by_their_weights_and_not_by_what_they_submit() -> None:
    ours = small("two-owners", 6000, 10)
    plain = small("two-owners", 6000, 10, decider="fifo")
    assert ours.service["anna"] / ours.service["bert"] == pytest.approx(3.0, rel=0.1)
    assert ours.fairness > 0.99
    assert plain.service["anna"] / plain.service["bert"] == pytest.approx(1.0, rel=0.2)


def test_the_lowest_of_all_begins_soon_after_the_longest_wait_that_is_allowed() -> None:
    scenario = sized(SCENARIOS["starvation"], 9000, 50)
    waited = simulate(scenario, "engine").waits["batch/low"].max
    longest = scenario.policy.max_wait
    assert longest <= waited <= longest + 30.0


@pytest.mark.parametrize("decider", ["engine", "fifo"])
def test_what_is_lost_is_done_again_until_all_is_done(decider: str) -> None:
    scenario = replace(
        sized(SCENARIOS["failures"], 150, 20), luck=Luck(failing=0.05, worker_life=1800.0)
    )
    found = simulate(scenario, decider)
    assert found.completed + found.failed == 150
    assert found.failed <= 5
    assert found.workers_lost > 0
    assert found.lost_work["failed"] > 0.0
    assert found.lost_work["lost with its worker"] > 0.0


def test_as_much_work_comes_as_the_load_says() -> None:
    scenario = sized(SCENARIOS["steady"], 20_000, 100)
    work = sum(each.work for each in arrivals(scenario, seed=3))
    can = 95 * 16 + 5 * 16  # CPUs, and GPUs that are worth 16 each
    assert work / (can * scenario.seconds) == pytest.approx(scenario.load, rel=0.05)


def test_jobs_come_in_their_order_bursts_and_lone_ones_among_them() -> None:
    for name in ("burst", "starvation"):
        moments = [each.at for each in arrivals(sized(SCENARIOS[name], 500, 10), seed=1)]
        assert moments == sorted(moments)
    bursts = [each.at for each in arrivals(sized(SCENARIOS["burst"], 500, 10), seed=1)]
    at_once = max(bursts.count(at) for at in bursts)
    assert at_once == 50  # half of 500 in five bursts


class Generous:
    """Gives the first worker whatever comes."""

    def handle(self, event: Event, now: float) -> Outcome:
        if not isinstance(event, JobSubmitted):
            return Outcome()
        grant = Requirement(Resources(cpus=17))
        task = f"{event.job.id}-encode0"
        attempt = Attempt(f"{task}-1-1", task, event.job.id, 1, "worker-0-1", grant, now)
        order = Sync("worker-0-1", {attempt.id: Level.RUN})
        return Outcome(changes=(AttemptAdded(attempt),), commands=(order,))


def test_a_worker_that_is_given_too_much_ends_the_simulation() -> None:
    with pytest.raises(Overcommitted, match="worker-0-1"):
        Farm(sized(SCENARIOS["two-owners"], 10, 1), Generous(), seed=1).run()


def test_a_report_names_every_class_and_who_waited_how_long() -> None:
    scenario = sized(SCENARIOS["steady"], 150, 6)
    found = [simulate(scenario, "engine"), simulate(scenario, "fifo")]
    text = "\n".join(lines(scenario, found))
    for kind in scenario.kinds:
        assert kind.label in text
    assert "engine: 150 completed, 0 failed" in text
    assert "fifo: 150 completed, 0 failed" in text


def test_a_percentile_is_a_value_that_was_measured() -> None:
    waits = [float(each) for each in range(1, 11)]
    assert nearest_rank(waits, 0.5) == 5.0
    assert nearest_rank(waits, 0.95) == 10.0
    assert nearest_rank([7.0], 0.01) == 7.0


def test_fairness_is_one_for_equals_and_a_part_of_all_when_one_has_everything() -> None:
    assert fairness([2.0, 2.0, 2.0, 2.0]) == pytest.approx(1.0)
    assert fairness([8.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
