# SPDX-License-Identifier: MIT
"""No program of a container reaches a process that is not the container's."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from sandbox.runtime.confinement import UNFENCED
from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle, native

pytestmark = pytest.mark.guest

NOBODY = 0x3FFFFFFF
INTERCEPTORS = ("trap", "rewrite", "ptrace")
# Tools that look for processes and signal them; each is tried where the machine has it.
TOOLS = {
    "killall": "killall -9 sleep",
    "pkill": "pkill -9 -x sleep",
    "fuser": "fuser -k -9 {file}",
    "start-stop-daemon": "start-stop-daemon --stop --signal KILL --pidfile {pidfile}",
    "busybox": "busybox killall -9 sleep; busybox killall5 -9; busybox pkill -9 sleep",
    "sh": "kill -9 -1; kill -9 1; kill -9 {pid}; kill -9 -{pid}",
}


@pytest.fixture
def decoys(tmp_path: pathlib.Path, sandbox: Sandbox) -> Iterator[list[int]]:
    """Processes of the same user: one of the machine with a file, and one of another container."""
    with (tmp_path / "held").open("w") as held:
        outside = subprocess.Popen(["sleep", "600"], stdout=held, start_new_session=True)
    sandbox.ok("run", "-d", "--name", "other", "host", "sleep", "600")
    inside = int(sandbox.ok("inspect", "-f", "{{.State.Pid}}", "other"))
    try:
        yield [outside.pid, inside]
        assert outside.poll() is None
        assert sandbox.ok("inspect", "-f", "{{.State.Running}}", "other").strip() == "true"
    finally:
        outside.kill()
        outside.wait()
        sandbox.ok("rm", "-f", "other")


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
@pytest.mark.parametrize("build", ["static", "i386"])
def test_a_process_outside_of_the_container_does_not_exist(
    oracle: Oracle, decoys: list[int], guest_program, build: str, interceptor: str
) -> None:
    if build == "i386" and interceptor == "ptrace":
        pytest.skip("no 32-bit programs with this interceptor")
    program = guest_program("reach", *BUILDS[build])
    expected = native([program, str(NOBODY)], oracle.native_folder)
    differs = {}
    if build == "i386":
        differs = {r"^ptrace ": "32-bit programs cannot trace"}
    elif interceptor == "ptrace":
        differs = {r"^ptrace ": "a process has one tracer, the container's"}
    for pid in decoys:
        found = oracle.inside([program, str(pid)], "--interceptor", interceptor)
        oracle.compare(expected, found, differs)


def test_no_tool_ends_a_process_outside_of_the_container(
    sandbox: Sandbox, tmp_path: pathlib.Path, decoys: list[int], guest_program
) -> None:
    walker = guest_program("reach", *BUILDS["static"])
    pidfile = tmp_path / "pid"
    pidfile.write_text(f"{decoys[0]}\n")
    values = {"file": tmp_path / "held", "pidfile": pidfile, "pid": decoys[0]}
    tools = [line.format(**values) for tool, line in TOOLS.items() if shutil.which(tool)]
    around = f"{walker} walk {max(2, min(decoys) - 100)} {max(decoys) + 100}"
    folders = [f"{folder}:{folder}" for folder in (tmp_path, walker)]
    binds = [word for folder in folders for word in ("-v", folder)]
    script = "; ".join([*tools, around])
    done = sandbox.call("run", "--rm", *binds, "host", "sh", "-c", script)
    assert done.stdout.decode().splitlines()[-1:] == ["walked"], done.stderr


def test_the_runtime_holds_signals_back_where_the_kernel_does_not(
    sandbox: Sandbox, decoys: list[int], guest_program
) -> None:
    """Where the kernel has no Landlock. Only the decoys are signalled."""
    walker = guest_program("reach", *BUILDS["static"])
    open_sandbox = Sandbox(sandbox.store, {**sandbox.environ, UNFENCED: "1"})
    for pid in map(str, decoys):
        found = open_sandbox.ok("run", "--rm", "-v", f"{walker}:/w", "host", "/w", "walk", pid, pid)
        assert found == "walked\n"
