# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tools" / "system-packages.sh"


@pytest.fixture
def bare_path(tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a PATH folder with links to all programs, which a test can remove."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for name in os.listdir(directory) if os.path.isdir(directory) else []:
            target = folder / name
            if not target.is_symlink():
                target.symlink_to(os.path.join(directory, name))
    return folder


def run_script(what: str, path: pathlib.Path) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": str(path), "HOME": "/nonexistent"}
    return subprocess.run(
        [shutil.which("bash") or "bash", SCRIPT, what],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "package"), [("musl-gcc", "musl-tools"), ("mmdebstrap", "mmdebstrap")]
)
def test_missing_packages_are_reported_in_one_line(
    bare_path: pathlib.Path, command: str, package: str
) -> None:
    (bare_path / command).unlink(missing_ok=True)
    done = run_script("test", bare_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("make test: missing ")
    assert package in done.stderr.split(";")[0].split()
    assert "apt-get install" in done.stderr


def test_make_run_needs_fewer_packages_than_make_test(bare_path: pathlib.Path) -> None:
    (bare_path / "musl-gcc").unlink(missing_ok=True)
    assert run_script("run", bare_path).stderr == ""
    (bare_path / "gcc").unlink()
    done = run_script("run", bare_path)
    assert done.returncode == 1
    assert "gcc" in done.stderr.split(";")[0].split()
