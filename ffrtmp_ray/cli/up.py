"""`ffrtmp up`: starts Ray on this machine or joins a cluster, and puts the farm on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from pydantic import ValidationError

from ffrtmp_ray.cli.options import ADDRESS, AsJson, StateDir
from ffrtmp_ray.cluster import local_ray
from ffrtmp_ray.cluster.bring_up import READY_SECONDS, bring_up
from ffrtmp_ray.cluster.record import ClusterRecord, is_loopback
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.settings import Settings

Join: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--address",
        help="Join the Ray cluster at HOST:PORT, or the one that Ray finds (auto), in place "
        "of starting one.",
        show_default=False,
    ),
]
Cpus: TypeAlias = Annotated[
    int | None, typer.Option(min=0, help="CPUs to use.", show_default="all")
]
Gpus: TypeAlias = Annotated[
    int | None, typer.Option(min=0, help="GPUs to use.", show_default="all")
]
Roots: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        exists=True,
        file_okay=False,
        resolve_path=True,
        help="A folder, beside the configured ones, from which inputs may be read and to "
        "which outputs may be written. May be given several times.",
    ),
]
Host: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Address of this machine to listen on; 0.0.0.0 for all. With 127.0.0.1, nothing "
        "is reachable from the network.",
        show_default="127.0.0.1",
    ),
]
Port: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Of the HTTP API.", show_default="8000"),
]
RayPort: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1024, max=65535, help="Of Ray.", show_default="6379, or a free one"),
]
DashboardPort: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1024, max=65535, help="Of Ray's dashboard.", show_default="8265, or a free one"
    ),
]
Timeout: TypeAlias = Annotated[
    float, typer.Option(min=1, help="Seconds to wait until it is ready.")
]


def up(
    address: Join = None,
    cpus: Cpus = None,
    gpus: Gpus = None,
    root: Roots = None,
    host: Host = None,
    port: Port = None,
    ray_port: RayPort = None,
    dashboard_port: DashboardPort = None,
    state_dir: StateDir = None,
    timeout: Timeout = READY_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Start the farm on this machine, or put it on a running Ray cluster.

    Run again, it puts this version and these settings in place of the old ones; running jobs go on.
    """
    settings = settings_with(
        roots=tuple(root or ()), http_host=host, http_port=port, state_dir=state_dir
    )
    head = local_ray.Head(
        settings.state_dir,
        host=settings.http_host,
        cpus=cpus,
        gpus=gpus,
        port=ray_port,
        dashboard_port=dashboard_port,
    )
    record = bring_up(settings, head, join=address, timeout_seconds=timeout, say=say)
    if as_json:
        typer.echo(json.dumps(addresses(record)))
        return
    typer.echo(_summary(record, settings))


def settings_with(*, roots: tuple[Path, ...] = (), **wishes: Any) -> Settings:
    """The settings of the environment, with the wishes that are not None in their place, and
    `roots` beside the folders that inputs and outputs may lie in.

    Raises MachineError for a setting with a wrong value.
    """
    given = {name: value for name, value in wishes.items() if value is not None}
    try:
        settings = Settings(**given)
        if not roots:
            return settings
        return Settings(
            **given,
            input_roots=(*settings.input_roots, *roots),
            output_roots=(*settings.output_roots, *roots),
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(("FFRTMP", *(str(part) for part in first["loc"][:1]))).upper()
        raise MachineError(
            f"{first['msg']}, got {first['input']!r}", where=f"setting {name}"
        ) from error


def say(text: str) -> None:
    """Tell what is being done; on stderr, which leaves stdout to results."""
    typer.echo(f"· {text}", err=True)


def addresses(record: ClusterRecord) -> dict[str, str | None]:
    return {
        "http": record.http,
        "docs": f"{record.http}/docs",
        "metrics": f"{record.http}/metrics",
        "ray": record.address,
        "dashboard": record.dashboard,
        "ray_metrics": record.metrics,
    }


def _summary(record: ClusterRecord, settings: Settings) -> str:
    shown = [("API", "http"), ("API documentation", "docs"), ("metrics", "metrics")]
    shown += [("Ray dashboard", "dashboard"), ("Ray metrics", "ray_metrics"), ("Ray", "ray")]
    known = addresses(record)
    lines = ["The farm is ready.", ""]
    lines += [f"  {name:<18} {known[key]}" for name, key in shown if known[key]]
    where = "" if record.http == ADDRESS else f" --address {record.http}"
    lines += [
        "",
        f"Next:  ffrtmp submit INPUT OUTPUT --preset h264-720p --wait{where}",
        "       ffrtmp down   ends it again",
    ]
    if not is_loopback(settings.http_host):
        lines += [
            "",
            "It listens on the network: whoever reaches Ray's ports runs code as you. Keep them "
            "behind a firewall.",
        ]
    return "\n".join(lines)
