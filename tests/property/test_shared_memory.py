# SPDX-License-Identifier: MIT
"""Whatever a guest writes into the memory it shares with its host side, nothing outside changes.

How it works: a thread writes into the shared file of a running container, as its guests can, while
commands and the container's health check work on it. A command may fail. It must not crash, hang,
signal other processes, or touch the user's files.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import struct
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sandbox.native.probe import probe
from tests.harness import attacks
from tests.harness.attacks import IMAGE, Arena
from tests.harness.containers import is_stopped

pytestmark = pytest.mark.guest

CHECKED = "checked"
PARTS = ("generation", "learned", "pids", "procs", "mailboxes")
SLOTS = 32768  # of the process table
ODD = st.sampled_from([0, 1, 2, 3, 7, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]) | st.integers(
    0, 2**32 - 1
)

Write = tuple[int, bytes]
"""An offset in the file, negative ones from its end, and what is written there."""


@functools.cache
def layout() -> dict[str, int]:
    """Return where the parts of the file begin, and the size of a row of the process table."""
    done = subprocess.run([attacks.program("layout")], capture_output=True, text=True, check=True)
    return {name: int(number) for name, number in map(str.split, done.stdout.splitlines())}


def words(part: str, values: list[int], at: int) -> Write:
    """Write odd words into the first few thousand bytes of a part of the file."""
    return layout()[part] + at * 4, struct.pack(f"<{len(values)}I", *values)


def row_of(pid: int) -> Write:
    """Claim that a process of the machine belongs to the container."""
    place = layout()["procs"] + pid % SLOTS * layout()["row"]
    return place, struct.pack("<IIQ", pid, 1, 2**63)


WRITES = st.lists(
    st.builds(
        words,
        st.sampled_from(PARTS),
        st.lists(ODD, min_size=1, max_size=16),
        st.integers(0, 15) | st.integers(0, 4000),
    )
    | st.builds(lambda at, data: (-1 - at, data), st.integers(0, 8), st.binary(max_size=8))
    | st.builds(row_of, st.integers(1, 2**22)),
    min_size=10,
    max_size=60,
)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Return a store with an image of attack programs; at the end nothing has changed."""
    if probe().landlock < 3:
        pytest.skip("before Landlock 3 a guest can shorten the file")
    folder = tmp_path_factory.mktemp("shared")
    with attacks.arena(folder, ("files",), fenced=True) as made:
        attempt = json.dumps(["/files", str(made.key), str(made.canary)])
        check = f"HEALTHCHECK --interval=1s --timeout=5s CMD {attempt}"
        made.sandbox.ok("import", "--change", check, folder / "root.tar", CHECKED)
        yield made


@contextmanager
def mutating(path: str, writes: Sequence[Write]) -> Iterator[None]:
    """Make these writes again and again until the block ends."""
    over = threading.Event()
    fd = os.open(path, os.O_RDWR)
    size = os.fstat(fd).st_size

    def mutate() -> None:
        while True:
            for at, data in writes:
                place = at if at >= 0 else size + at
                os.pwrite(fd, data[: size - place], place)
                if over.wait(0.001):
                    return

    thread = threading.Thread(target=mutate)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        os.close(fd)


def commands(arena: Arena) -> list[list[str]]:
    """Return what the host side does with the container."""
    return [
        ["ps"],
        ["top", "box"],
        ["stats", "--no-stream", "box"],
        ["exec", "box", "/files", str(arena.key), str(arena.canary)],
        ["exec", "-d", "box", "/idle"],
        ["cp", "box:/files", "-"],
        ["cp", str(arena.folder / "root.tar"), "box:/tmp/put"],
        ["diff", "box"],
        ["export", "-o", str(arena.folder / "out.tar"), "box"],
        ["commit", "box", "made"],
        ["pause", "box"],
        ["unpause", "box"],
        ["update", "--pids-limit", "50", "box"],
        ["inspect", "box"],
        ["kill", "-s", "WINCH", "box"],
    ]


def check(done: subprocess.CompletedProcess[bytes]) -> None:
    said = done.stderr.decode(errors="replace")
    assert 0 <= done.returncode <= 255, (done.args, said)
    assert "internal error" not in said, (done.args, said)
    assert "Traceback" not in said, (done.args, said)
    assert attacks.SECRET.encode() not in done.stdout


@given(writes=WRITES, data=st.data())
@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_write_of_a_guest_reaches_beyond_its_container(
    arena: Arena, writes: list[Write], data: st.DataObject
) -> None:
    engine = arena.sandbox
    order = data.draw(st.permutations(commands(arena)))
    with subprocess.Popen(["sleep", "1000"]) as bystander:
        engine.ok("run", "-d", "--name", "box", "--pids-limit", "99", CHECKED, "/idle")
        try:
            identity = json.loads(engine.ok("inspect", "box"))[0]["Id"]
            state = json.loads((engine.store / "containers" / identity / "state.json").read_text())
            shared = f"{state['runDir']}/shared"
            forged = [row_of(bystander.pid), row_of(os.getpid()), row_of(1)]
            with mutating(shared, [*writes, *forged]):
                for command in order:
                    check(engine.call(*command, timeout=60))
                    assert bystander.poll() is None, command
                    assert not is_stopped(bystander.pid), command
                check(engine.call("stop", "-t", "1", "box", timeout=60))
            assert bystander.poll() is None
            assert not pathlib.Path(shared).exists()
            assert arena.state().items() >= arena.before.items()
        finally:
            bystander.kill()
            engine.ok("rm", "-f", "box")
    assert IMAGE in engine.ok("images")
