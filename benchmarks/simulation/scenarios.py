"""The scenarios, as data."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.simulation.scenario import (
    GPU_ONLY,
    GPU_OR_CPUS,
    Bursts,
    Kind,
    Lone,
    Luck,
    Machines,
    Scenario,
    cpus,
)
from ffrtmp_ray.core.model import OwnerPolicy, Policy, Priority, Queue, Resources

CPU_WORKER = Resources(cpus=16, plan_slots=2, light_slots=4)
GPU_WORKER = Resources(cpus=1, gpu_sessions=1)
"""The one CPU feeds the GPU."""

MIXED = (Machines(0.95, CPU_WORKER), Machines(0.05, GPU_WORKER))
CPUS_ALONE = (Machines(1.0, CPU_WORKER),)

MANY_OWNERS = {f"owner-{number}": 1.0 / number for number in range(1, 101)}
"""As users are (Zipf's law): the first of a hundred submits a fifth of all jobs."""

LIVE = Kind("live", 0.02, cpus(4), queue=Queue.LIVE, work=7200.0, spread=0.3)
"""Half an hour of a stream."""
URGENT = Kind("news", 0.01, cpus(4, 2, 1), priority=Priority.HIGH, urgent=True, work=300.0)
HIGH = Kind("premium", 0.12, cpus(4, 2, 1), priority=Priority.HIGH)
PLAIN = Kind("uploads", 0.40, cpus(4, 2, 1))
LOW = Kind("previews", 0.10, cpus(2, 1), priority=Priority.LOW, work=200.0)
ARCHIVE = Kind("archive", 0.20, cpus(4, 2, 1), queue=Queue.BATCH, work=1500.0, chunk=1200.0)
OLD = Kind(
    "old", 0.10, cpus(4, 2, 1), queue=Queue.BATCH, priority=Priority.LOW, work=1500.0, chunk=1200.0
)
LARGE = Kind("large", 0.01, cpus(16), work=6000.0, chunk=6000.0)
"""Takes a whole worker, or waits."""
FILM = Kind("films", 0.005, GPU_ONLY, work=4000.0, chunk=4000.0)
EITHER = Kind("either", 0.10, GPU_OR_CPUS)

EVERYTHING = (LIVE, URGENT, HIGH, PLAIN, LOW, ARCHIVE, OLD, LARGE, FILM, EITHER)
ON_CPUS = (LIVE, URGENT, HIGH, PLAIN, LOW, ARCHIVE, OLD, LARGE)

_ALL = (
    Scenario(
        name="steady",
        about="a day of all there is: more than the fleet can do at its busiest time, less later",
        kinds=EVERYTHING,
        machines=MIXED,
        owners=MANY_OWNERS,
        load=0.85,
        swing=0.4,
    ),
    Scenario(
        name="burst",
        about="half of the jobs come in five bursts, each all at once",
        kinds=ON_CPUS,
        machines=CPUS_ALONE,
        owners=MANY_OWNERS,
        load=0.8,
        bursts=Bursts(share=0.5, number=5),
    ),
    Scenario(
        name="gpu-scarce",
        about="more work for GPUs than they can do, some of which CPUs could do as well",
        kinds=(LIVE, HIGH, PLAIN, ARCHIVE, Kind("films", 0.15, GPU_ONLY), EITHER),
        machines=MIXED,
        owners=MANY_OWNERS,
        load=0.8,
    ),
    Scenario(
        name="failures",
        about="one attempt in twenty fails, and each worker is lost every two hours",
        kinds=EVERYTHING,
        machines=MIXED,
        owners=MANY_OWNERS,
        load=0.75,
        luck=Luck(failing=0.05, worker_life=7200.0),
    ),
    Scenario(
        name="starvation",
        about="default work without end, too much for the fleet, and one job of the lowest class",
        kinds=(PLAIN,),
        machines=CPUS_ALONE,
        owners={"anna": 1.0},
        load=1.3,
        lone=Lone(
            Kind(
                "lowest", 0.0, cpus(4, 2, 1), queue=Queue.BATCH, priority=Priority.LOW, spread=0.0
            ),
            at=0.2,
        ),
        to_the_end=False,
    ),
    Scenario(
        name="two-owners",
        about="two owners submit as much as each other, too much for the fleet; anna's weight is 3",
        kinds=(PLAIN,),
        machines=CPUS_ALONE,
        owners={"anna": 0.5, "bert": 0.5},
        load=2.5,
        to_the_end=False,
        policy=Policy(owners={"anna": OwnerPolicy(weight=3.0)}),
    ),
)

SCENARIOS: Mapping[str, Scenario] = {scenario.name: scenario for scenario in _ALL}
