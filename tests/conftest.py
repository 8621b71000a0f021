# SPDX-License-Identifier: MIT
"""Every test runs without privileges, in known surroundings, with a store and a home of its own."""

from __future__ import annotations

import ctypes
import fcntl
import os
import pathlib
import sys
from collections.abc import Callable
from typing import Any

import hypothesis
import pytest

from tests.harness import privileges, surroundings
from tests.harness.cbuild import build_guest_program
from tests.harness.command import Sandbox
from tests.harness.run_folder import make_run_folder, remove

ROOT = pathlib.Path(__file__).resolve().parents[1]
CLONE_NEWUSER = 0x10000000
# The interceptor of every test that does not choose one.
INTERCEPTOR = os.environ.get("SANDBOX_TEST_INTERCEPTOR", "auto")
PASSED_OVER = "passed_over_signals"
PASSED_OVER_KEY = pytest.StashKey[list[int]]()
RUN_FOLDER_KEY = pytest.StashKey[pathlib.Path]()

# Hypothesis measures no time: a small machine may be busy, and pytest-timeout sets the limits.
COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
if not os.access(ROOT, os.W_OK):
    COMMON["database"] = None  # it would lie in the checkout
# The suite tries the same examples each time, so a run without a change has no new failure.
# `make fuzz` looks for new examples.
hypothesis.settings.register_profile("default", max_examples=50, derandomize=True, **COMMON)
hypothesis.settings.register_profile("fuzz", max_examples=200, **COMMON)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    if os.geteuid() != 0:
        if config.option.basetemp is None:  # a worker of pytest-xdist is given one
            config.option.basetemp = config.stash[RUN_FOLDER_KEY] = make_run_folder()
        from_controller = getattr(config, "workerinput", {})
        passed_over = surroundings.put_in_order(from_controller.get(PASSED_OVER, ()))
        config.stash[PASSED_OVER_KEY] = passed_over
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None:
        capture.stop_global_capturing()  # execute pytest again with the real descriptors
    privileges.become_throwaway_user(list(config.invocation_params.args))
    pytest.exit(
        "tests do not run as root, and another user cannot read this checkout or "
        f"{sys.executable}: use `make test`",
        returncode=4,
    )


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep the folders of failed tests, until the next run."""
    if exitstatus == 0 and RUN_FOLDER_KEY in session.config.stash:
        remove(session.config.stash[RUN_FOLDER_KEY])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which signals have no effect on this run."""
    node.workerinput[PASSED_OVER] = node.config.stash[PASSED_OVER_KEY]


def can_make_user_namespaces() -> bool:
    """Ask the kernel, in a child, whether unshare(CLONE_NEWUSER) works here."""
    child = os.fork()
    if child == 0:
        libc = ctypes.CDLL(None)
        os._exit(0 if libc.unshare(CLONE_NEWUSER) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def pytest_report_header() -> str:
    namespaces = "allowed" if can_make_user_namespaces() else "forbidden"
    return f"uid {os.geteuid()}, user namespaces {namespaces}, interceptor {INTERCEPTOR}"


@pytest.fixture(autouse=True)
def private_surroundings(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a test a store and a home of its own, and no way to a registry."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("SANDBOX_ROOT", str(tmp_path / "store"))
    monkeypatch.setenv("SANDBOX_OFFLINE", "1")
    monkeypatch.setenv("SANDBOX_INTERCEPTOR", INTERCEPTOR)


def prepared(name: str) -> pathlib.Path:
    """Return the folder that tests/fixtures/make-NAME made, or skip the test."""
    where = os.environ.get("SANDBOX_TEST_FIXTURES") or ROOT / "build" / "fixtures"
    folder = pathlib.Path(where) / name
    if not (folder / "ready").exists():
        pytest.skip(f"not prepared: tests/fixtures/make-{name} (see tests/fixtures/prepare.sh)")
    return folder


@pytest.fixture(scope="session")
def debian() -> pathlib.Path:
    """A folder with a minimal Debian 12 (rootfs.tar) and packages to install in it (debs/)."""
    return prepared("debian")


@pytest.fixture
def sandbox(tmp_path: pathlib.Path) -> Sandbox:
    """The command, with an empty store."""
    return Sandbox(tmp_path / "store")


@pytest.fixture(scope="session")
def guest_program() -> Callable[..., pathlib.Path]:
    """Compile tests/guest/programs/NAME.c: guest_program("statx", "musl-gcc", "-static")."""
    return build_guest_program


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sandbox]:
    """once(NAME, make): a sandbox whose store make(sandbox, folder) fills, once per test run."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent

    def shared(name: str, make: Callable[[Sandbox, pathlib.Path], None]) -> Sandbox:
        folder = base / f"shared-{name}"
        folder.mkdir(exist_ok=True)
        sandbox = Sandbox(folder / "store", {"HOME": str(folder)})
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "tried").exists():
                (folder / "tried").touch()
                make(sandbox, folder)
                (folder / "ready").touch()
        assert (folder / "ready").exists(), f"{name} could not be made: see the first failure"
        return sandbox

    return shared


@pytest.fixture(scope="session")
def servers_image(once: Callable[..., Sandbox]) -> Sandbox:
    """A store with the image `servers`: nginx, redis, PostgreSQL."""
    rootfs = prepared("servers") / "rootfs.tar"

    def make(sandbox: Sandbox, _: pathlib.Path) -> None:
        sandbox.ok("import", rootfs, "servers", timeout=250)

    return once("servers", make)
