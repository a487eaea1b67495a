"""Every setting, with its unit and default. The only reader of the environment.

A field `http_port` is set by the variable `FFRTMP_HTTP_PORT`; lists are JSON
(`FFRTMP_INPUT_ROOTS='["/srv/in"]'`). `ffrtmp up` reads the settings once and hands them to every
actor, so all nodes work by the same ones, whatever their own environment says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ffrtmp_ray.core.vector import MOST


def _default_roots() -> tuple[Path, ...]:
    return (Path.home(),)


def _root(value: object) -> object:
    """A bucket's URL stays as it is written; all else is a path."""
    if isinstance(value, str) and "://" in value:
        if not re.fullmatch(r"(s3|gs|az)://[^/]+(/.*)?", value):
            raise ValueError("a root is a path, or s3://, gs:// or az:// with a bucket")
        return value
    return Path(value) if isinstance(value, str) else value


Root: TypeAlias = Annotated[Path | str, BeforeValidator(_root)]


class Owner(BaseModel):
    """What one owner of jobs may have."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: float = Field(default=1.0, gt=0)
    """Its share of the farm, beside the weights of others that have work in the same class."""
    max_running: int | None = Field(default=None, ge=1)
    """Tasks on workers at a time."""
    max_queued: int | None = Field(default=None, ge=1)
    """Jobs that may wait."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="FFRTMP_", frozen=True, extra="forbid")

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """Of what an older version has pickled, a field that it did not know gets its default: code
        that is replaced under a running farm starts the scheduler with what the farm was given."""
        defaults = {
            name: field.get_default(call_default_factory=True)
            for name, field in type(self).model_fields.items()
            if name not in state["__dict__"]
        }
        super().__setstate__({**state, "__dict__": {**state["__dict__"], **defaults}})

    # where things are
    state_dir: Path = Field(default_factory=lambda: Path.home() / ".ffrtmp")
    """Holds the embedded database, the workspace of one machine, logs and the record of `up`."""
    database: str = ""
    """SQLAlchemy URL; empty means SQLite in `state_dir`."""
    workspace: Path | None = None
    """The folder that every node sees, where attempts leave their files; None means
    `state_dir/workspace`, which is right for one machine only."""
    input_roots: tuple[Root, ...] = Field(default_factory=_default_roots)
    """Inputs may lie below these folders, and prefixes of buckets (`s3://films/in`), only. Links
    are resolved before the check. URLs of http(s) need no root."""
    output_roots: tuple[Root, ...] = Field(default_factory=_default_roots)
    """Outputs may lie below these folders and prefixes only."""
    private_hosts: tuple[str, ...] = ()
    """Names, addresses and networks (`10.1.0.0/16`) of hosts from which inputs may be read by
    http(s) although their addresses are not public."""
    upload_max_bytes: int = Field(default=100 * 1024**3, ge=0)
    """Of a file that is sent to `/uploads`."""
    upload_days: float = Field(default=3.0, gt=0)
    """An upload that nobody goes on with for so long is removed; a complete one stays."""
    fetch_max_bytes: int = Field(default=20 * 1024**3, ge=0)
    """Of an input whose server gives no parts of it, so that it is fetched whole."""
    ffmpeg: Path | None = None
    """The ffmpeg program, version 7.1 or newer; None means the one that came with the
    installation."""

    fonts_dir: Path | None = None
    """A folder of fonts, the same on all nodes, for what is burned in and the installation's own
    font (Latin, Greek, Cyrillic, Devanagari) does not have."""

    # where it listens
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=1, le=65535)
    api_replicas: int = Field(default=1, ge=1)
    """Processes that answer requests, with 0.2 GB of memory each. When the only one dies, requests
    wait for about four seconds until there is another; with two they hardly wait."""

    # workers
    encode_cpus: int = Field(default=4, ge=1)
    """CPUs that one encode takes at most; it makes do with fewer when fewer are free."""
    chunk_seconds: float = Field(default=60.0, ge=1)
    """A chunk of a long picture has at most this much of it: what is done again when a machine is
    lost under its encode. Chunks are shorter where that fills the farm, down to 10 s."""
    chunk_store_bytes: int = Field(default=20 * 1024**3, ge=0)
    """Of finished chunks that are kept in the workspace for other jobs and retries, at most; those
    used least lately go first. 0 keeps none."""
    chunk_store_days: float = Field(default=3.0, gt=0)
    """A chunk that nobody has used for so long is no longer kept."""
    plan_slots: int = Field(default=2, ge=1, le=MOST.plan_slots)
    """Plans (and publications) that one worker does at a time, beside its CPUs."""
    light_slots: int = Field(default=2, ge=1, le=MOST.light_slots)
    """Audio encodes and finishes that one worker does at a time, beside its CPUs."""
    gpu_sessions: int = Field(default=8, ge=1, le=MOST.gpu_sessions)
    """Encoders that one GPU runs at a time. NVIDIA's drivers allow 8 on GeForce cards; others have
    no limit but their memory and engines."""
    gpu_memory_mib: int = Field(default=4096, ge=1, le=MOST.gpu_memory_mib)
    """Memory of a GPU of which NVIDIA's library says nothing."""
    stall_seconds: float = Field(default=60.0, gt=0)
    """An ffmpeg that makes no progress for this long is ended and tried again."""
    stop_grace_seconds: float = Field(default=0.5, ge=0)
    """From SIGTERM to SIGKILL when an attempt is stopped."""
    task_timeout_seconds: float = Field(default=6 * 3600.0, gt=0)
    """A task that has no timeout of its own is ended after this."""
    ffmpeg_memory_bytes: int = Field(default=8 * 1024**3, gt=0)
    """Of one ffmpeg, at most; half of the machine's memory where that is less. A 4K encode takes 1
    to 2 GiB. One that uses a GPU is not limited: its driver's share is not known."""
    ffmpeg_niceness: int = Field(default=5, ge=0, le=19)
    """How far every ffmpeg gives way to other programs, as in `nice -n`."""
    attempt_bytes: int = Field(default=256 * 1024**3, gt=0)
    """What one attempt at a task may write, all files together."""
    min_free_bytes: int = Field(default=1024**3, ge=0)
    """Left free on the disks of the workspace and of outputs: a task that finds less, or leaves
    less, fails as out of disk."""
    probe_timeout_seconds: float = Field(default=60.0, gt=0)
    probe_memory_bytes: int = Field(default=2 * 1024**3, gt=0)
    """Address space of the child process in which inputs are opened."""

    # machines that come and go
    autoscale: bool = False
    """Ask Ray's autoscaler for machines while tasks wait, and let go those that have nothing to do:
    for clusters that `ray up` has made. Elsewhere nobody would hear it."""
    idle_seconds: float = Field(default=120.0, ge=0)
    """A machine on which nothing has run for this long may go, if the farm has another one; Ray
    ends it after the `idle_timeout_minutes` of its own file."""

    # the scheduler and its workers
    poll_seconds: float = Field(default=1.0, gt=0)
    """How long a worker with no news lets a poll wait; also the period of progress and usage."""
    silence_seconds: float = Field(default=5.0, gt=0)
    """A worker that answers no poll for this long is lost."""
    standby: bool = True
    """A second scheduler waits on the head node, loaded, for the first one's process to die, and
    takes over in a moment; without it, one that is started again takes seconds."""
    scheduler_hang_seconds: float = Field(default=30.0, ge=2)
    """A scheduler that does nothing for this long is killed by the one that stands by."""
    takeover_seconds: float = Field(default=10.0, gt=0)
    """A scheduler on another machine takes over one not seen in the store for this long."""
    retention_seconds: float = Field(default=7 * 86400.0, ge=0)
    """How long a job is kept after its end: its record, and finished parts that a retry would use.
    One that an unfinished job depends on is kept as long as that one."""
    max_workers_lost: int = Field(default=3, ge=1)
    backoff_base_seconds: float = Field(default=1.0, gt=0)
    backoff_cap_seconds: float = Field(default=60.0, gt=0)
    suspend_limit_seconds: float = Field(default=300.0, ge=0)

    # who is next
    owners: dict[str, Owner] = Field(default_factory=dict)
    """Weights and limits by owner: `FFRTMP_OWNERS='{"news": {"weight": 3, "max_running": 8}}'`."""
    other_owners: Owner = Owner()
    """Of all that `owners` does not name."""
    max_queued: int | None = Field(default=None, ge=1)
    """Jobs that may wait, of all owners together; the next one is answered with 429."""
    max_wait_seconds: float = Field(default=600.0, gt=0)
    """A task that has been ready for longer gets a turn, whatever its class or owner."""
    turn_every: int = Field(default=10, ge=1)
    """Of so many placements outside the live queue, one is such a turn."""
    reserve_limit_seconds: float = Field(default=300.0, gt=0)
    """A worker is kept free at most this long for a task that is too large for what comes free."""

    log_level: str = "INFO"

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know computed_field on property
    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{self.state_dir / 'ffrtmp.db'}"

    @property
    def workspace_dir(self) -> Path:
        return self.workspace or self.state_dir / "workspace"
