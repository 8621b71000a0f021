# SPDX-License-Identifier: MIT
"""Tests and their programs start with default signals, limits and environment.

The last test runs the others in rough surroundings.
"""

from __future__ import annotations

import os
import pathlib
import resource
import signal
import subprocess
import sys

import pytest

from tests.conftest import PASSED_OVER_KEY
from tests.harness import surroundings

ROOT = pathlib.Path(__file__).resolve().parents[3]

# Starts its arguments as nohup, a service manager, an editor or an old shell might.
ROUGH = """
import os, resource, signal, sys
for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
os.umask(0o077)
_, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, resource.RLIM_INFINITY))
os.close(0)
os.execv(sys.argv[1], sys.argv[1:])
"""
ROUGH_ENVIRONMENT = {
    "CLICOLOR_FORCE": "1",
    "COLUMNS": "20",
    "DOCKER_HOST": "tcp://192.0.2.1:2375",
    "HOME": "/root",
    "HTTPS_PROXY": "http://192.0.2.1:3128",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "C",
    "LISTEN_FDS": "1",
    "PYTHONSAFEPATH": "",
    "SANDBOX_INTERCEPTOR": "none",
    "SANDBOX_ROOT": "/root",
    "SOURCE_DATE_EPOCH": "1",
    "TZ": "Asia/Kathmandu",
    "XDG_RUNTIME_DIR": "/root",
}


def status_of_a_child() -> dict[str, str]:
    shown = subprocess.run(
        ["cat", "/proc/self/status"], capture_output=True, text=True, check=True
    ).stdout
    return dict(line.split(":\t", 1) for line in shown.splitlines())


def test_a_program_begins_with_default_signals_and_an_empty_mask() -> None:
    status = status_of_a_child()
    assert [int(status[name], 16) for name in ("SigIgn", "SigBlk", "SigCgt")] == [0, 0, 0]


def test_a_program_of_a_forked_process_begins_with_default_signals() -> None:
    child = os.fork()
    if child == 0:
        os.execvp("grep", ["grep", "-q", "^SigIgn:\t0*$", "/proc/self/status"])
    assert os.waitpid(child, 0)[1] == 0


def test_a_signal_that_was_ignored_at_the_start_still_has_no_effect(
    request: pytest.FixtureRequest,
) -> None:
    passed_over = request.config.stash[PASSED_OVER_KEY]
    assert signal.SIGPIPE in passed_over  # Python ignores it
    for number in {signal.SIGHUP, signal.SIGPIPE} & set(passed_over):
        os.kill(os.getpid(), number)


def test_umask_and_limits_have_default_values() -> None:
    assert status_of_a_child()["Umask"] == "0022"
    for which, wanted in surroundings.SOFT_LIMITS.items():
        soft, hard = resource.getrlimit(which)
        assert soft in (wanted, hard)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    assert soft == hard


def test_the_environment_has_no_settings_of_the_user(tmp_path: pathlib.Path) -> None:
    assert os.environ["HOME"] == str(tmp_path / "home")
    assert os.environ["SANDBOX_ROOT"] == str(tmp_path / "store")
    rough = {name for name, value in ROUGH_ENVIRONMENT.items() if os.environ.get(name) == value}
    assert rough == set()
    names = {"PATH", *surroundings.GIVEN, *surroundings.KEPT}
    others = {name for name in os.environ if name not in names}
    assert {name for name in others if not name.startswith(("PYTEST_", "SANDBOX_"))} <= set()


def test_relative_and_missing_folders_are_removed_from_path() -> None:
    assert (
        surroundings.settled_path("/usr/bin::.:bin:/nonexistent:/usr/bin:/bin") == "/usr/bin:/bin"
    )


def test_the_working_directory_is_the_checkout() -> None:
    assert pathlib.Path.cwd() == ROOT


@pytest.mark.parametrize("workers", ["0", "1"])
def test_all_tests_of_this_file_pass_in_rough_surroundings(
    workers: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('this is not the json of Python')")
    pytest_again = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    pytest_again += ["-c", f"{ROOT}/pyproject.toml", "--rootdir", f"{ROOT}", "-n", workers]
    done = subprocess.run(
        [sys.executable, "-P", "-c", ROUGH, *pytest_again, __file__, "-k", "not rough"],
        env={**os.environ, **ROUGH_ENVIRONMENT},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=250,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stdout
    assert "7 passed" in done.stdout
