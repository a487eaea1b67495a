"""A real PostgreSQL for tests and benchmarks: its programs, and a server in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

import psycopg
from psycopg import sql

ROOT = Path(__file__).resolve().parents[1]
UNPACKED = ROOT / ".tools" / "postgresql"
START_SECONDS = 30.0
_NOBODY = 65534
_QUICK = {
    "fsync": "off",  # what survives a power cut is PostgreSQL's own matter
    "full_page_writes": "off",
    "jit": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "1d",
    "max_connections": "60",
    "listen_addresses": "",
}
_names = count(1)


def programs() -> Path:
    """The folder of `postgres` and `initdb`: the PATH's, Debian's, or what
    scripts/install-test-services has unpacked."""
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).parent] if on_path else []
    for root in (Path("/"), UNPACKED):
        candidates += sorted(root.glob("usr/lib/postgresql/*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise AssertionError("PostgreSQL is not installed: run scripts/install-test-services")


@dataclass(slots=True)
class Server:
    """A running server; everybody on the machine may enter."""

    folder: Path
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """As a user would write it."""
        return f"postgresql://postgres@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            host=str(self.folder), dbname=database, user="postgres", autocommit=True
        )

    def create(self) -> str:
        """The name of a new database, without tables."""
        name = f"test{next(_names)}"
        with self.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return name

    def empty(self, database: str) -> None:
        """Leave the tables of a migrated database as they were at first. That takes a millisecond,
        and a new database hundreds."""
        with self.connect(database) as connection:
            connection.execute(
                "DELETE FROM transitions; DELETE FROM attempts; DELETE FROM tasks;"
                "DELETE FROM jobs; DELETE FROM workers; UPDATE scheduler SET"
                " epoch = 0, holder = '', seen_at = 0, version = '', last_order = 0, last_time = 0,"
                " shares = NULL"
            )

    def end(self) -> None:
        """A fast shutdown: connections are cut off, in order."""
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    def start_again(self) -> None:
        self.process = _start(self.folder).process


@contextmanager
def running_server() -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path must be short
    if os.geteuid() == 0:
        os.chown(folder, _NOBODY, _NOBODY)
    server: Server | None = None
    try:
        _run("initdb", "-D", str(folder / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync")  # fmt: skip
        server = _start(folder)
        yield server
    finally:
        if server is not None:
            server.end()
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path) -> Server:
    settings = _QUICK | {"unix_socket_directories": str(folder)}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    with (folder / "log").open("ab") as log:
        process = _popen(log, "postgres", "-D", str(folder / "data"), *options)
    server = Server(folder, process)

    end = time.monotonic() + START_SECONDS
    while True:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            server.connect().close()
        except psycopg.OperationalError:
            assert time.monotonic() < end, f"it does not answer within {START_SECONDS:g} s"
            time.sleep(0.02)
        else:
            return server


def _command(program: str, *arguments: str) -> list[str]:
    """PostgreSQL refuses to run as root; as nobody, it must still get at its own programs,
    wherever the checkout lies. It ends with the tests."""
    command = [str(programs() / program), *arguments]
    wrapped = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() == 0:
        wrapped += ["--reuid", str(_NOBODY), "--regid", str(_NOBODY), "--clear-groups"]
        wrapped += ["--inh-caps", "+dac_override", "--ambient-caps", "+dac_override"]
    return [*wrapped, *command]


def _environment() -> Mapping[str, str]:
    libraries = [str(path) for path in (UNPACKED / "usr" / "lib").glob("*-linux-gnu")]
    return os.environ | {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else os.environ


def _run(program: str, *arguments: str) -> None:
    done = subprocess.run(
        _command(program, *arguments),
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def _popen(log: IO[bytes], program: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        _command(program, *arguments), env=_environment(), stdout=log, stderr=log
    )
