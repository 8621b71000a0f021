# SPDX-License-Identifier: MIT
"""What must hold for every way of catching system calls, in a minute.

The whole guest suite under each of them is `make test-interceptors`.
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

WAYS = {
    "trap": ("trap", {}),
    "rewrite": ("rewrite", {}),
    "ptrace": ("ptrace", {}),
    # Where seccomp is forbidden the tracer looks at every call.
    "ptrace-steps": ("ptrace", {"SANDBOX_NO_SECCOMP": "1"}),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, tmp_path: pathlib.Path) -> Oracle:
    """An oracle whose containers use one way of catching calls."""
    name, environ = WAYS[request.param]
    folders = tmp_path / "native", tmp_path / "inside"
    for folder in folders:
        folder.mkdir()
    sandbox = Sandbox(tmp_path / "store", {"SANDBOX_INTERCEPTOR": name, **environ})
    return Oracle(sandbox, *folders)


@pytest.mark.parametrize("group", ["actions", "masks", "threads", "children", "deaths", "exec"])
def test_signals(way: Oracle, guest_program, group: str) -> None:
    way.same([guest_program("signals", *BUILDS["static"]), group])


def test_a_shell_a_pipe_and_a_changed_tree(way: Oracle) -> None:
    script = (
        "echo text > a; mkdir -p d/e; mv a d/e/b; cat d/e/b | tr t T; (exit 3); echo $?;"
        "for i in 1 2 3 4 5 6 7 8; do echo $i & done | sort; wait; kill -TERM $$"
    )
    way.same(["sh", "-c", script])


def test_threads_and_children_of_python(way: Oracle) -> None:
    script = (
        "import os, subprocess, threading\n"
        "rows = []\n"
        "def work(): rows.append(subprocess.run(['true']).returncode)\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "print(rows, os.system('exit 4') >> 8)\n"
    )
    way.same(["python3", "-c", script])


def test_a_stopped_process_goes_on(way: Oracle) -> None:
    # It cannot end before it goes on: it waits for a line that comes later.
    script = (
        "mkfifo go; (read line < go; exit 3) & kill -STOP $!;"
        "until grep -q 'State:.T' /proc/$!/status; do sleep 0.01; done; echo stopped;"
        "kill -CONT $!; echo line > go; wait $!; echo ended $?"
    )
    way.same(["bash", "-c", script])


def test_nothing_is_left_when_the_main_process_ends(way: Oracle) -> None:
    mark = f"3{time.time_ns() % 10**9:09}"
    way.inside(["sh", "-c", f"sleep {mark} & sleep {mark} & exit 0"])
    assert not any(mark.encode() in command for command in running())


def running() -> list[bytes]:
    """Return the command lines of all processes; one that ends meanwhile has none."""
    commands = []
    for folder in pathlib.Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                commands.append((folder / "cmdline").read_bytes())
    return commands


def test_a_guest_that_traces_is_refused_and_told(sandbox: Sandbox, guest_program) -> None:
    done = sandbox.call(
        "run", "--rm", "--interceptor", "ptrace", "--trace", "host", guest_program("ptrace_child")
    )
    assert b"the interceptor ptrace is in use" in done.stderr


def test_doctor_says_what_is_used_and_why(sandbox: Sandbox) -> None:
    facts = {fact["name"]: fact for fact in json.loads(sandbox.ok("doctor", "--json"))}
    assert facts["interceptor"]["value"] in ("rewrite", "trap", "ptrace")
    assert facts["interceptor"]["effect"]
    assert {"kernel", "yama", "landlock", "run directory", "reflink", "exec"} <= set(facts)
    assert f"Interceptor: {facts['interceptor']['value']} (" in sandbox.ok("info")


def test_the_runtimes_code_beside_rewritten_sites_is_not_seen(sandbox: Sandbox) -> None:
    script = (
        "import os\n"
        "[os.stat('/etc') for _ in range(50)]\n"
        "rows = [line.split() for line in open('/proc/self/maps')]\n"
        "print([row for row in rows if 'x' in row[1] and (len(row) < 6 or 'memfd' in row[5])])\n"
    )
    found = sandbox.ok("run", "--rm", "--interceptor", "rewrite", "host", "python3", "-c", script)
    assert found == "[]\n"


def test_the_seccomp_mode_that_a_guest_set_outlives_execve(way: Oracle) -> None:
    script = (
        "import ctypes, os, struct\n"
        "code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0x7fff0000))\n"
        "program = struct.pack('HxxxxxxQ', 1, ctypes.addressof(code))\n"
        "libc = ctypes.CDLL(None)\n"
        "print(libc.prctl(38, 1, 0, 0, 0), libc.prctl(22, 2, program, 0, 0), flush=True)\n"
        "os.execvp('grep', ['grep', 'Seccomp:', '/proc/self/status'])\n"
    )
    way.same(["python3", "-c", script])
