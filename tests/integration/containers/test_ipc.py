# SPDX-License-Identifier: MIT
"""System V objects and /dev/shm of containers: what they do, who shares them, when they go.

What the programs print was recorded with real root in a namespace of the kernel: see ipc.c.
"""

from __future__ import annotations

import os
import pathlib
import signal
from typing import TYPE_CHECKING

import pytest

from tests.harness.cbuild import BUILDS, ROOT
from tests.harness.containers import is_gone, record, sysv_count, sysv_prefix, sysv_segment
from tests.harness.oracle import difference
from tests.harness.polling import until

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

MAKE = "ipcmk -M 100 -S 2 -Q >/dev/null; echo shared >/dev/shm/file; echo made; exec sleep 600"
LIST = "ipcs | grep -c ^0x; cat /dev/shm/file"


def maker(sandbox: Sandbox, name: str, *flags: str) -> None:
    sandbox.ok("run", "-d", "--name", name, *flags, "host", "sh", "-c", MAKE)
    until(lambda: sandbox.ok("logs", name) == "made\n")


def listed(sandbox: Sandbox, *flags: str) -> list[str]:
    done = sandbox.call("run", "--rm", *flags, "host", "sh", "-c", LIST)
    return done.stdout.decode().split()


def test_a_container_sees_its_own_objects_only(sandbox: Sandbox) -> None:
    with sysv_segment(77):
        maker(sandbox, "c1")
        assert listed(sandbox) == ["0"]
        assert sandbox.ok("exec", "c1", "sh", "-c", LIST).split() == ["3", "shared"]
        sandbox.ok("rm", "-f", "c1")


def test_one_key_in_two_containers_names_two_objects(sandbox: Sandbox) -> None:
    script = (
        "import ctypes; l = ctypes.CDLL(None); i = l.shmget(77, 100, 0o3600);"
        " assert i >= 0; l.shmat.restype = ctypes.c_void_p;"
        " print(ctypes.string_at(l.shmat(i, None, 0), 4));"
        " ctypes.memmove(l.shmat(i, None, 0), b'mine', 4); input()"
    )
    with sysv_segment(77):
        for name in ("c1", "c2"):
            words = ["run", "-di", "--name", name, "host", "python3", "-c", script]
            sandbox.ok(*words)
            until(lambda name=name: sandbox.ok("logs", name) != "")
            assert sandbox.ok("logs", name) == r"b'\x00\x00\x00\x00'" + "\n"
        sandbox.ok("rm", "-f", "c1", "c2")


def test_objects_go_with_their_container(sandbox: Sandbox) -> None:
    maker(sandbox, "c1")
    prefix = sysv_prefix(record(sandbox, "c1")["runDir"])
    assert sysv_count(prefix) == 3
    sandbox.ok("stop", "-t", "0", "c1")
    assert sysv_count(prefix) == 0


@pytest.mark.parametrize(
    "look", [["ps"], ["run", "--rm", "host", "true"], ["system", "prune", "-f"]]
)
def test_objects_of_a_killed_supervisor_are_removed_by_the_next_look(
    sandbox: Sandbox, look: list[str]
) -> None:
    maker(sandbox, "c1")
    stored = record(sandbox, "c1")
    prefix = sysv_prefix(stored["runDir"])
    os.kill(stored["keeper"], signal.SIGKILL)
    until(lambda: is_gone(stored["keeper"]))
    assert sysv_count(prefix) == 3
    sandbox.ok(*look)
    assert sysv_count(prefix) == 0


def test_a_shareable_container_shares_with_those_that_join_it(sandbox: Sandbox) -> None:
    maker(sandbox, "c1", "--ipc", "shareable")
    prefix = sysv_prefix(record(sandbox, "c1")["runDir"])
    assert listed(sandbox, "--ipc", "container:c1") == ["3", "shared"]
    assert listed(sandbox, "--ipc", "shareable") == ["0"]
    joiner = ("--ipc", "container:c1", "host", "sleep", "600")
    sandbox.ok("run", "-d", "--name", "c2", *joiner)
    sandbox.ok("rm", "-f", "c1")
    assert sandbox.ok("exec", "c2", "sh", "-c", LIST).split() == ["3", "shared"]
    sandbox.ok("rm", "-f", "c2")
    assert sysv_count(prefix) == 0


def test_who_joins_no_shareable_container_is_refused(sandbox: Sandbox) -> None:
    sandbox.ok("run", "-d", "--name", "c1", "host", "sleep", "600")
    done = sandbox.call("run", "--ipc", "container:c1", "host", "true")
    assert done.returncode == 125
    assert b"non-shareable IPC (hint: use IpcMode:shareable for the donor container)" in done.stderr
    sandbox.ok("stop", "-t", "0", "c1")
    done = sandbox.call("run", "--ipc", "container:c1", "host", "true")
    assert done.returncode == 125
    assert b"failed to join IPC namespace" in done.stderr
    assert b"is not running" in done.stderr
    assert b"no such container" in sandbox.call("create", "--ipc", "container:c3", "host").stderr


def test_ipc_none_has_no_shared_memory_files(sandbox: Sandbox) -> None:
    script = "test -e /dev/shm && exit 3; ipcmk -Q >/dev/null; ipcs | grep -c ^0x"
    assert sandbox.ok("run", "--rm", "--ipc", "none", "host", "sh", "-c", script) == "1\n"


def test_ipc_host_shows_the_objects_of_the_machine(sandbox: Sandbox) -> None:
    with sysv_segment(0x77AA):
        output = sandbox.ok("run", "--rm", "--ipc", "host", "host", "ipcs", "-m")
        assert "0x000077aa" in output


def test_uts_host_has_the_name_of_the_machine(sandbox: Sandbox) -> None:
    script = "uname -n; cat /proc/sys/kernel/hostname /etc/hostname; echo $HOSTNAME"
    output = sandbox.ok("run", "--rm", "--uts", "host", "host", "sh", "-c", script)
    assert output.split() == 4 * [os.uname().nodename]
    done = sandbox.call("run", "--uts", "host", "-h", "other", "host", "true")
    assert b"conflicting options: hostname and the UTS mode" in done.stderr


def test_inspect_shows_the_modes(sandbox: Sandbox) -> None:
    shown = "{{.HostConfig.IpcMode}} {{.HostConfig.UTSMode}}"
    sandbox.ok("create", "--name", "c1", "host", "true")
    assert sandbox.ok("inspect", "-f", shown, "c1") == "private \n"
    sandbox.ok("create", "--name", "c2", "--ipc", "shareable", "--uts", "host", "host", "true")
    assert sandbox.ok("inspect", "-f", shown, "c2") == "shareable host\n"


# ---- what they do ---------------------------------------------------------------------

RECORDED = ROOT / "tests" / "guest" / "recorded"
GROUPS = (
    "shm",
    "keys",
    "races",
    "sem",
    "sleepers",
    "interrupted",
    "msg",
    "walks",
    "permissions",
    "users",
    "sets",
    "faults",
    "children",
    "threads",
)
# A C library for 32-bit programs reads the structures itself.
WIDE_ONLY = {"faults"}


def same_as_recorded(
    sandbox: Sandbox, program: pathlib.Path, groups: tuple[str, ...], *flags: str
) -> None:
    problems = []
    for group in groups:
        output = sandbox.ok("run", "--rm", *flags, "host", str(program), group)
        recorded = (RECORDED / f"ipc-{group}.txt").read_text().splitlines()
        if recorded != output.splitlines():
            problems.append(f"{group}: {difference(recorded, output.splitlines())}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("group", GROUPS)
def test_objects_behave_as_in_a_namespace(sandbox: Sandbox, guest_program, group: str) -> None:
    same_as_recorded(sandbox, guest_program("ipc"), (group,))


@pytest.mark.parametrize("interceptor", ["trap", "ptrace"])
def test_objects_behave_so_by_every_interceptor(
    sandbox: Sandbox, guest_program, interceptor: str
) -> None:
    program = guest_program("ipc", *BUILDS["static"])
    same_as_recorded(sandbox, program, GROUPS, "--interceptor", interceptor)


@pytest.mark.parametrize("build", ["musl-static", "i386", "i386-times"])
def test_objects_behave_so_for_every_c_library(sandbox: Sandbox, guest_program, build: str) -> None:
    program = guest_program("ipc", *BUILDS[build])
    groups = tuple(g for g in GROUPS if g not in WIDE_ONLY or not build.startswith("i386"))
    same_as_recorded(sandbox, program, groups)
