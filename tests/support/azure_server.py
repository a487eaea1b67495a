"""Azurite, Microsoft's emulator of Azure Blob Storage, on loopback, for tests."""

from __future__ import annotations

import base64
import hashlib
import hmac
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.support.waiting import until

UNPACKED = Path(__file__).resolve().parents[2] / ".tools" / "azurite"
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""What every emulator has (Azure documentation, "Connect to Azurite with SDKs and tools")."""
_VERSION = "2021-08-06"
_READY = "successfully listens on"
_NUMBERS = count(1)


def _program() -> str:
    """`azurite-blob`, from the PATH or where scripts/install-test-services puts it."""
    unpacked = UNPACKED / "node_modules" / ".bin" / "azurite-blob"
    found = shutil.which("azurite-blob") or (str(unpacked) if unpacked.exists() else None)
    assert found, "Azurite is not installed: run scripts/install-test-services"
    return found


@contextmanager
def azure_server() -> Iterator[str]:
    """The URL of the endpoint."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        options = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--inMemoryPersistence"]
        with said.open("wb") as output:
            process = subprocess.Popen(
                [_program(), *options, "--skipApiVersionCheck", "--disableTelemetry"],
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            until(lambda: _READY in said.read_text() or process.poll() is not None)
            assert process.poll() is None, said.read_text()
            yield said.read_text().rpartition(_READY)[2].split()[0]
        finally:
            process.terminate()
            process.wait()


def new_azure_container(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty container's URL; sets the variables by which obstore reaches it."""
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    monkeypatch.setenv("AZURE_ALLOW_HTTP", "true")
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", endpoint)
    name = f"container-{next(_NUMBERS)}"
    response = httpx.put(
        f"{endpoint}/{ACCOUNT}/{name}?restype=container",
        headers=_authorization(name),
        timeout=60,  # of a machine that does much else
    )
    response.raise_for_status()
    return f"az://{name}"


def _authorization(container: str) -> dict[str, str]:
    """Of a request that creates a container (Azure documentation, "Authorize with Shared Key")."""
    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": _VERSION}
    lines = [f"{name}:{value}" for name, value in headers.items()]
    resource = f"/{ACCOUNT}/{ACCOUNT}/{container}\nrestype:container"
    signed = "\n".join(["PUT", *[""] * 11, *lines, resource])
    digest = hmac.new(base64.b64decode(KEY), signed.encode(), hashlib.sha256).digest()
    return {**headers, "Authorization": f"SharedKey {ACCOUNT}:{base64.b64encode(digest).decode()}"}
