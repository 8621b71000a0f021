# SPDX-License-Identifier: MIT
"""The host side believes nothing that a guest can write into the run directory or into memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from sandbox.native.probe import probe
from tests.harness.attacks import IMAGE, Arena, results, successes
from tests.harness.polling import until

pytestmark = pytest.mark.guest

PROGRAMS = ("control",)
TRUNCATIONS = ["cut the control file", "cut the shared file"]  # Landlock 3
WAYS_IN = [
    ("run", "rewrite"),
    ("run", "trap"),
    ("run", "ptrace"),
    ("exec", "rewrite"),
    ("health check", "rewrite"),
    ("RUN", "rewrite"),
    ("API", "rewrite"),
]
HOSTILE = ("Traceback", "nternal error", "Segmentation", "Bus error")


@contextmanager
def box(
    arena: Arena, *command: str, image: str = IMAGE, options: Sequence[str] = ()
) -> Iterator[str]:
    """Run a container that is up before the block begins."""
    engine = arena.sandbox
    identity = engine.ok("run", "-d", *options, image, *command).strip()
    try:
        until(lambda: "up" in engine.ok("logs", identity))
        yield identity
    finally:
        engine.ok("rm", "-f", identity)


def test_without_the_fence_a_guest_makes_and_moves_names_in_its_run_directory(
    unfenced: Arena,
) -> None:
    found = unfenced.attack("control", "names")
    assert successes(found) == list(found)


@pytest.mark.parametrize(("way", "interceptor"), WAYS_IN)
def test_a_guest_writes_no_name_of_its_run_directory(
    fenced: Arena, way: str, interceptor: str
) -> None:
    found = fenced.attack("control", "names", way=way, interceptor=interceptor)
    may = TRUNCATIONS if probe().landlock < 3 else []
    assert [what for what in successes(found) if what not in may] == []
    assert len(found) == 15


@pytest.mark.parametrize("interceptor", ["rewrite", "ptrace"])
def test_the_mapped_control_file_cannot_be_written(fenced: Arena, interceptor: str) -> None:
    """Not even without the fence. While there was one file for all, a plain store did it."""
    found = fenced.attack("control", "memory", interceptor=interceptor)
    assert successes(found) == []
    assert len(found) == 6


def test_without_the_fence_exec_runs_what_a_guest_put_in_place_of_the_guest_program(
    unfenced: Arena,
) -> None:
    with box(unfenced, "/control", "hijack") as identity:
        output = unfenced.sandbox.ok("exec", identity, "/control", "who")
        assert results(output) == {"run on the machine": "done"}


def test_exec_and_health_checks_run_the_guest_program_alone(fenced: Arena) -> None:
    engine = fenced.sandbox
    check = 'HEALTHCHECK --interval=1s CMD ["/control", "who"]'
    engine.ok("import", "--change", check, str(fenced.folder / "root.tar"), "checked")
    with box(fenced, "/control", "hijack", image="checked") as identity:
        assert successes(results(engine.ok("logs", identity))) == []
        output = engine.ok("exec", identity, "/control", "who")
        assert results(output) == {"run on the machine": "EPERM"}

        def seen() -> str:
            health = json.loads(engine.ok("inspect", identity))[0]["State"]["Health"]
            return health["Log"][0]["Output"] if health["Log"] else ""

        assert results(until(seen)) == {"run on the machine": "EPERM"}


def test_exec_reads_no_endless_password_file(fenced: Arena) -> None:
    """It read the whole file, and a guest can make it a terabyte long."""
    with box(fenced, "/control", "passwd") as identity:
        for user in ([], ["-u", "nobody"]):
            done = fenced.sandbox.call("exec", *user, identity, "/control", "who")
            assert done.returncode == (125 if user else 0), done.stderr
            assert not any(word in done.stderr.decode() for word in HOSTILE)


def test_a_copy_into_a_container_does_not_wait_for_the_lock_of_a_guest(fenced: Arena) -> None:
    """The host side waited as long as a guest held the lock that whiteouts need."""
    engine = fenced.sandbox
    with box(fenced, "/control", "lock") as identity:
        engine.ok("exec", identity, "/control", "who")
        source = fenced.folder / "idle"
        source.write_text("new")
        engine.ok("cp", str(source), f"{identity}:/idle")
        engine.ok("cp", f"{identity}:/idle", str(fenced.folder / "copied"))
        assert (fenced.folder / "copied").read_text() == "new"


def test_a_tracer_takes_no_process_of_another_container(fenced: Arena) -> None:
    """It attached to every process of the user that a guest named, and killed it at its own end."""
    engine = fenced.sandbox
    with box(fenced, "/idle") as identity:
        pid = json.loads(engine.ok("inspect", identity))[0]["State"]["Pid"]
        found = fenced.attack("control", "adopt", pid, interceptor="ptrace")
        assert found == {"have it traced": "EPERM"}
        engine.ok("exec", identity, "/control", "who")


def test_the_host_side_works_beside_a_guest_that_writes_anything_into_shared_memory(
    fenced: Arena,
) -> None:
    """What it reads of the container's files may be wrong then, but nothing else."""
    engine = fenced.sandbox
    (fenced.folder / "given").write_text("given")
    given, copied = str(fenced.folder / "given"), str(fenced.folder / "copied")
    with box(fenced, "/control", "scribble", options=["--pids-limit", "90"]) as identity:
        for command in (
            ("exec", identity, "/control", "who"),
            ("cp", given, f"{identity}:/tmp/given"),
            ("cp", f"{identity}:/tmp/given", copied),
            ("diff", identity),
            ("commit", identity, "scribbled"),
            ("exec", identity, "/control", "who"),
        ):
            done = engine.call(*command)
            said = (done.stdout + done.stderr).decode()
            assert done.returncode >= 0, command
            assert not any(word in said for word in HOSTILE), said
            assert "run on the machine: done" not in said
        engine.ok("pause", identity)
        engine.ok("unpause", identity)
        engine.ok("update", "--pids-limit", "50", identity)
        engine.ok("stats", "--no-stream", identity)
        assert len(engine.ok("top", identity).splitlines()) == 2
        engine.ok("stop", "-t", "0", identity)
        state = json.loads(engine.ok("inspect", identity))[0]["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 143)
