"""`scripts/bootstrap`, the first thing that runs on a bare machine, and the list of ways in."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]

FAILS = "#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n"
MODERN_WITHOUT_PIP = """#!/bin/sh
case "$*" in *version_info*) exit 0;; *) echo "No module named pip" >&2; exit 1;; esac
"""
OLD = """#!/bin/sh
case "$*" in *version_info*) exit 1;; --version) echo "Python 3.9.2";; esac
"""
UV = "#!/bin/sh\necho uv 0.0\n"
VENV_MAKES_UV = """#!/bin/sh
case "$*" in
  *version_info*) exit 0;;
  "-m venv "*)
    [ -e "$PACKAGE" ] || { echo "ensurepip is not available" >&2; exit 1; }
    mkdir -p "$3/bin"
    printf '%s\\n' '#!/bin/sh' >"$3/bin/python"
    printf '%s\\n' '#!/bin/sh' 'echo uv 0.0' >"$3/bin/uv"
    chmod +x "$3/bin/python" "$3/bin/uv";;
  *) exit 1;;
esac
"""
APT_BRINGS_VENV = """#!/bin/sh
case "$*" in *"install"*python3-venv*) touch "$PACKAGE";; esac
"""
A_USER = "#!/bin/sh\necho 1000\n"
ROOT = "#!/bin/sh\necho 0\n"


class Machine:
    """A checkout with the script, on a machine whose PATH holds what a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.checkout = folder / "checkout"
        self.programs = folder / "bin"
        self.package = folder / "python3-venv-is-installed"
        (self.checkout / "scripts").mkdir(parents=True)
        self.programs.mkdir()
        shutil.copy(CHECKOUT / "scripts" / "bootstrap", self.checkout / "scripts")
        for name in ("sh", "cat", "chmod", "dirname", "env", "mkdir", "mktemp", "rm", "touch"):
            (self.programs / name).symlink_to(str(shutil.which(name)))

    def put(self, **programs: str) -> None:
        for name, text in programs.items():
            path = self.programs / name.replace("_", "-")
            path.write_text(text)
            path.chmod(0o755)

    def bootstrap(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.checkout / "scripts" / "bootstrap"],
            env={"PATH": str(self.programs), "PACKAGE": str(self.package)},
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_uv_that_is_on_the_path_is_used_and_nothing_is_installed(machine: Machine) -> None:
    machine.put(uv=UV)

    answer = machine.bootstrap()

    assert answer.stdout == f"{machine.programs / 'uv'}\n"
    assert not (machine.checkout / ".tools").exists()


def test_uv_is_installed_into_the_checkout_once(machine: Machine) -> None:
    machine.package.touch()
    machine.put(python3=VENV_MAKES_UV)

    first, second = machine.bootstrap(), machine.bootstrap()

    assert first.stdout == second.stdout == f"{machine.checkout / '.tools/uv/bin/uv'}\n"
    assert "getting uv" in first.stderr
    assert second.stderr == ""


def test_root_gets_the_package_that_python_lacks(machine: Machine) -> None:
    machine.put(python3=VENV_MAKES_UV, id=ROOT, apt_get=APT_BRINGS_VENV)

    answer = machine.bootstrap()

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == f"{machine.checkout / '.tools/uv/bin/uv'}\n"


def test_a_user_who_may_not_install_packages_is_told_what_to_ask_for(machine: Machine) -> None:
    machine.put(python3=MODERN_WITHOUT_PIP, id=A_USER, sudo=FAILS, apt_get=APT_BRINGS_VENV)

    answer = machine.bootstrap()

    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "apt-get install python3-venv" in answer.stderr
    assert not machine.package.exists()


def test_a_python_that_is_too_old_is_named(machine: Machine) -> None:
    machine.put(python3=OLD)

    answer = machine.bootstrap()

    assert answer.returncode == 1
    assert "Python 3.9.2 is too old: install Python 3.11 or newer" in answer.stderr


def test_a_machine_without_python_is_told_to_get_one(machine: Machine) -> None:
    answer = machine.bootstrap()

    assert answer.returncode == 1
    assert "there is no python3" in answer.stderr


def test_make_alone_lists_every_way_in() -> None:
    answer = subprocess.run(
        [str(shutil.which("make")), "--no-print-directory", "-C", str(CHECKOUT)],
        capture_output=True,
        text=True,
        check=True,
    )

    for target in ("setup", "check", "test", "demo", "up", "down", "benchmarks"):
        assert f"make {target} " in answer.stdout
