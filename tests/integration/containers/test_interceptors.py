# SPDX-License-Identifier: MIT
"""The essential tests under each interceptor, in a minute.

`make test-interceptors` runs all guest tests under each interceptor.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import time

import pytest

from tests.harness.cbuild import BUILDS
from tests.harness.command import Sandbox
from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

INTERCEPTORS = {
    "trap": ("trap", {}),
    "rewrite": ("rewrite", {}),
    "ptrace": ("ptrace", {}),
    # Without seccomp the tracer stops at every call.
    "ptrace-steps": ("ptrace", {"SANDBOX_NO_SECCOMP": "1"}),
}


@pytest.fixture(params=INTERCEPTORS)
def way(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Oracle:
    """Return an oracle whose containers use one interceptor."""
    name, environ = INTERCEPTORS[request.param]
    folders = tmp_path / "native", tmp_path / "inside"
    for folder in folders:
        folder.mkdir()
    sandbox = Sandbox(tmp_path / "store", {"SANDBOX_INTERCEPTOR": name, **environ})
    return Oracle(sandbox, *folders)


@pytest.mark.parametrize("group", ["actions", "masks", "threads", "children", "deaths", "exec"])
def test_signals_work_as_on_the_host(way: Oracle, guest_program, group: str) -> None:
    way.same([guest_program("signals", *BUILDS["static"]), group])


def test_a_shell_changes_files_and_runs_pipes_as_on_the_host(way: Oracle) -> None:
    script = (
        "echo text > a; mkdir -p d/e; mv a d/e/b; cat d/e/b | tr t T; (exit 3); echo $?;"
        "for i in 1 2 3 4 5 6 7 8; do echo $i & done | sort; wait; sh -c 'kill -TERM $$'; echo $?"
    )
    way.same(["sh", "-c", script])


def test_threads_of_python_start_processes_as_on_the_host(way: Oracle) -> None:
    script = (
        "import os, subprocess, threading\n"
        "rows = []\n"
        "def work(): rows.append(subprocess.run(['true']).returncode)\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(rows, os.system('exit 4') >> 8)\n"
    )
    way.same(["python3", "-c", script])


def test_a_stopped_process_continues(way: Oracle) -> None:
    # The child cannot end before it continues, since it waits for a line that is written later.
    script = (
        "mkfifo go; (read line < go; exit 3) & kill -STOP $!;"
        "until grep -q 'State:.T' /proc/$!/status; do sleep 0.01; done; echo stopped;"
        "kill -CONT $!; echo line > go; wait $!; echo ended $?"
    )
    way.same(["bash", "-c", script])


def test_no_process_is_left_when_the_main_process_ends(way: Oracle) -> None:
    mark = f"3{time.time_ns() % 10**9:09}"
    way.inside(["sh", "-c", f"sleep {mark} & sleep {mark} & exit 0"])
    assert not any(mark.encode() in command for command in running())


def running() -> list[bytes]:
    """Return the command lines of all processes, without those that end meanwhile."""
    commands = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                commands.append((folder / "cmdline").read_bytes())
    return commands


def test_a_guest_may_not_use_ptrace_under_the_ptrace_interceptor(
    sandbox: Sandbox, guest_program
) -> None:
    done = sandbox.call(
        "run", "--rm", "--interceptor", "ptrace", "--trace", "host", guest_program("ptrace_child")
    )
    assert b"the interceptor ptrace is in use" in done.stderr


def test_doctor_and_info_show_the_interceptor_and_the_reason(sandbox: Sandbox) -> None:
    facts = {fact["name"]: fact for fact in json.loads(sandbox.ok("doctor", "--json"))}
    assert facts["interceptor"]["value"] in ("rewrite", "trap", "ptrace")
    assert facts["interceptor"]["effect"]
    assert {"kernel", "yama", "landlock", "run directory", "reflink", "exec"} <= set(facts)
    assert f"Interceptor: {facts['interceptor']['value']} (" in sandbox.ok("info")


def test_guests_do_not_see_the_runtimes_code_in_their_maps(sandbox: Sandbox) -> None:
    script = (
        "import os\n"
        "[os.stat('/etc') for _ in range(50)]\n"
        "rows = [line.split() for line in open('/proc/self/maps')]\n"
        "print([row for row in rows if 'x' in row[1] and (len(row) < 6 or 'memfd' in row[5])])\n"
    )
    found = sandbox.ok("run", "--rm", "--interceptor", "rewrite", "host", "python3", "-c", script)
    assert found == "[]\n"


def test_a_guests_seccomp_mode_survives_execve(way: Oracle) -> None:
    script = (
        "import ctypes, os, struct\n"
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n"
        "program = struct.pack('HxxxxxxQ', 1, ctypes.addressof(code))\n"
        "libc = ctypes.CDLL(None)\n"
        "print(libc.prctl(38, 1, 0, 0, 0), libc.prctl(22, 2, program, 0, 0), flush=True)\n"
        "os.execvp('grep', ['grep', 'Seccomp:', '/proc/self/status'])\n"
    )
    way.same(["python3", "-c", script])
