"""Machines join and leave; each gets its workers, and work goes on elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest
import ray
from ray.cluster_utils import Cluster

from ffrtmp_ray.cluster.actors import NAMESPACE, create_scheduler, end_schedulers
from ffrtmp_ray.cluster.driver import Farm
from ffrtmp_ray.store.open import migrate
from tests.cluster.farms import SLOW, LocalFarm, leftovers, quick_settings, until
from tests.cluster.media import frame_times, make_clip
from tests.support.short_folder import short_folder

pytestmark = pytest.mark.timeout(240)

QUICK_TO_NOTICE = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Cluster, LocalFarm]]:
    """A head without CPUs, like `cluster.yaml`'s, and the scheduler on it."""
    with short_folder() as folder, ExitStack() as ended:
        temp_dir = folder / "ray"
        temp_dir.mkdir()
        monkeypatch.setenv("RAY_TMPDIR", str(folder))  # where Ray notes the last cluster
        cluster = Cluster()
        ended.callback(cluster.shutdown)
        cluster.add_node(
            num_cpus=0,
            num_gpus=0,
            include_dashboard=False,
            temp_dir=str(temp_dir),
            _system_config=QUICK_TO_NOTICE,
        )
        ended.callback(ray.shutdown)
        ray.init(address=cluster.address, namespace=NAMESPACE, log_to_driver=False)
        settings = quick_settings(folder / "state", folder)
        migrate(settings.database_url)
        create_scheduler(settings)
        farm = Farm(who="test")
        ended.callback(farm.close)
        until(lambda: farm.ready().scheduler, 60)
        yield cluster, LocalFarm(farm, settings, temp_dir)
        end_schedulers(20)


def devices(farm: LocalFarm) -> list[str]:
    return sorted(worker.device for worker in farm.farm.workers() if worker.state == "ready")


def of_node(process: psutil.Process, node: object) -> bool:
    (raylet,) = node.all_processes["raylet"]
    return process.ppid() == raylet.process.pid


def test_a_hung_node_is_noticed_within_ten_seconds_and_publishes_nothing_when_it_wakes(
    nodes: tuple[Cluster, LocalFarm],
) -> None:
    cluster, farm = nodes
    root = farm.settings.input_roots[0]
    clip = make_clip(root / "clip.mp4", seconds=12, size="640x360")
    hung = cluster.add_node(num_cpus=1, num_gpus=0)
    job = farm.submit(clip, root / "out.mp4", SLOW)
    farm.encoding(60)
    cluster.add_node(num_cpus=1, num_gpus=0)
    until(lambda: devices(farm) == ["cpu", "cpu"], 60)
    (worker,) = [process for process in farm.actors("WorkerActor") if of_node(process, hung)]
    raylet = worker.parent()
    assert raylet is not None

    raylet.suspend()
    worker.suspend()
    began = time.monotonic()
    until(lambda: devices(farm) == ["cpu"], 30)
    assert time.monotonic() - began < 10

    encoding = [task for task in farm.farm.get(job.id).tasks if task.kind == "encode"]
    assert [task.attempts[0].outcome for task in encoding] == ["worker_lost"]
    raylet.resume()
    worker.resume()
    until(lambda: not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE, 60)
    cluster.remove_node(hung, allow_graceful=False)
    farm.completed(job.id, 120)
    assert frame_times(root / "out.mp4") == frame_times(clip)
    assert leftovers(farm.settings, root, job.id) == []


def test_a_node_that_joins_gets_its_workers_and_one_that_leaves_loses_nothing(
    nodes: tuple[Cluster, LocalFarm],
) -> None:
    cluster, farm = nodes
    root = farm.settings.input_roots[0]
    clip = make_clip(root / "clip.mp4", seconds=12, size="640x360")
    job = farm.submit(clip, root / "out.mp4", SLOW)
    first = cluster.add_node(num_cpus=1, num_gpus=0)
    until(lambda: devices(farm) == ["cpu"], 60)
    farm.encoding(60)
    cluster.add_node(num_cpus=2, num_gpus=1)
    until(lambda: devices(farm) == ["cpu", "cpu", "gpu0"], 60)
    cluster.remove_node(first, allow_graceful=False)
    until(lambda: devices(farm) == ["cpu", "gpu0"], 30)
    done = farm.completed(job.id, 120)
    (encode,) = [task for task in done.tasks if task.kind == "encode"]
    assert [a.outcome for a in encode.attempts] == ["worker_lost", "succeeded"]
    assert len({a.worker for a in encode.attempts}) == 2
    assert frame_times(root / "out.mp4") == frame_times(clip)
    assert leftovers(farm.settings, root, job.id) == []
