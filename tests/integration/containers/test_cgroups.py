# SPDX-License-Identifier: MIT
"""Limits by cgroups. The tests need to run in a cgroup that is delegated to this user."""

from __future__ import annotations

import json
import os
import pathlib
import signal

import pytest

from sandbox.runtime.limits import cgroups
from tests.harness.command import Sandbox
from tests.harness.containers import is_gone, is_stopped, record
from tests.harness.polling import until

pytestmark = pytest.mark.guest


@pytest.fixture
def delegated(request: pytest.FixtureRequest) -> pathlib.Path:
    """Return the cgroup that holds the containers' cgroups and has the marked controller."""
    controller = request.param
    for offer in cgroups.offered(frozenset({controller})):
        return pathlib.Path(offer.path)
    pytest.skip(
        f"the tests do not run in a cgroup that delegates the controller {controller} to this user"
    )


def needs(controller: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("delegated", [controller], indirect=True)


def cgroup_of(delegated: pathlib.Path, engine: Sandbox, name: str = "box") -> pathlib.Path:
    return delegated / f"sandbox-{engine.ok('inspect', '-f', '{{.Id}}', name)[:12]}"


def holders(engine: Sandbox, name: str = "box") -> dict[str, str]:
    shown: dict[str, str] = json.loads(engine.ok("inspect", name))[0]["HostConfig"]["LimitsBy"]
    return shown


def start(engine: Sandbox, flags: tuple[str, ...], *command: str) -> None:
    engine.ok("run", "-d", "--name", "box", *flags, "host", *command)


MANY = r"""
import os, time
count = 0
while count < 50:
    try:
        if os.fork() == 0:
            time.sleep(1000)
        count += 1
    except BlockingIOError:
        print(count, flush=True)
        time.sleep(0.1)
"""


@needs("pids")
def test_tasks_are_limited_and_the_limit_can_be_changed_and_lifted(
    engine: Sandbox, delegated: pathlib.Path
) -> None:
    start(engine, ("--pids-limit", "8"), "python3", "-c", MANY)
    until(lambda: "7\n" in engine.ok("logs", "box"))
    group = cgroup_of(delegated, engine)
    assert (group / "pids.max").read_text() == "8\n"
    assert holders(engine)["PidsLimit"] == "cgroup"
    refused = engine.call("exec", "box", "true")
    assert (refused.returncode, b"too many processes" in refused.stderr) == (125, True)
    engine.ok("update", "--pids-limit", "12", "box")
    until(lambda: "11\n" in engine.ok("logs", "box"))
    assert engine.ok("stats", "--no-stream", "--format", "{{.PIDs}}", "box") == "12\n"
    engine.ok("update", "--pids-limit", "-1", "box")
    assert (group / "pids.max").read_text() == "max\n"
    until(lambda: len(members(group)) > 20)


def members(group: pathlib.Path) -> list[int]:
    return [int(line) for line in (group / "cgroup.procs").read_text().split()]


@needs("pids")
def test_only_the_container_and_its_execs_are_in_the_cgroup(
    engine: Sandbox, delegated: pathlib.Path
) -> None:
    start(engine, ("--pids-limit", "20"), "sh", "-c", "sleep 1000 & wait")
    group = cgroup_of(delegated, engine)
    engine.ok("exec", "-d", "box", "sleep", "1001")
    engine.ok("exec", "box", "true")
    until(lambda: len(members(group)) == 3)
    shown = engine.ok("top", "box", "-eo", "pid").split()[1:]
    assert sorted(map(int, shown)) == sorted(members(group))
    assert record(engine, "box")["keeper"] not in members(group)


BURN = "import os\nos.fork()\nwhile True: pass\n"


@needs("cpu")
def test_the_kernel_enforces_a_share_of_cpu_time(engine: Sandbox, delegated: pathlib.Path) -> None:
    start(engine, ("--cpus", "0.2"), "python3", "-c", BURN)
    group = cgroup_of(delegated, engine)
    assert (group / "cpu.max").read_text() == "20000 100000\n"
    assert holders(engine)["NanoCpus"] == "cgroup"
    engine.ok("update", "--cpus", "0.25", "box")
    assert (group / "cpu.max").read_text() == "25000 100000\n"
    until(lambda: numbers(group / "cpu.stat")["nr_throttled"] > 20)
    pid = record(engine, "box")["pid"]
    assert not is_stopped(pid)
    assert engine.ok("stats", "--no-stream", "--format", "{{.Name}}", "box") == "box\n"


def numbers(path: pathlib.Path) -> dict[str, int]:
    return {key: int(value) for key, value in map(str.split, path.read_text().splitlines())}


HOG = "import time\nx = bytearray(b'1') * (256 << 20)\ntime.sleep(1000)"


@needs("memory")
def test_the_kernel_kills_a_container_that_exceeds_its_memory_limit(
    engine: Sandbox, delegated: pathlib.Path
) -> None:
    script = f'sleep 1000 & until test -e /sbx-go; do sleep 0.05; done; python3 -c "{HOG}"'
    start(engine, ("-m", "64m"), "sh", "-c", script)
    group = cgroup_of(delegated, engine)
    assert (group / "memory.max").read_text() == f"{64 << 20}\n"
    assert holders(engine)["Memory"] == "cgroup"
    engine.ok("exec", "box", "touch", "/sbx-go")
    assert engine.ok("wait", "box") == "137\n"
    assert engine.ok("inspect", "-f", "{{.State.OOMKilled}}", "box") == "true\n"
    told = engine.ok("events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}").split()
    assert told.index("oom") == told.index("die") - 1
    assert not group.exists()


@needs("cpuset")
def test_programs_cannot_leave_the_chosen_cpus(engine: Sandbox, delegated: pathlib.Path) -> None:
    code = "import os\nos.sched_setaffinity(0, range(64))\nprint(os.sched_getaffinity(0))"
    told = engine.ok("run", "--rm", "--cpuset-cpus", "0", "host", "python3", "-c", code)
    assert told == "{0}\n"


@needs("pids")
def test_a_cgroup_is_removed_when_its_container_stops(
    engine: Sandbox, delegated: pathlib.Path
) -> None:
    start(engine, ("--pids-limit", "20"), "sh", "-c", "exec sleep 1000")
    group = cgroup_of(delegated, engine)
    assert group.is_dir()
    engine.ok("stop", "-t", "0", "box")
    assert not group.exists()
    engine.ok("start", "box")
    assert len(members(group)) == 1
    engine.ok("rm", "-f", "box")
    assert not group.exists()


@needs("pids")
def test_the_cgroup_of_a_killed_supervisor_is_removed(
    engine: Sandbox, delegated: pathlib.Path
) -> None:
    daemon = "import os, time\nos.setsid() if os.fork() == 0 else None\ntime.sleep(1000)"
    start(engine, ("--pids-limit", "20"), "python3", "-c", daemon)
    group = cgroup_of(delegated, engine)
    until(lambda: len(members(group)) == 2)
    keeper = record(engine, "box")["keeper"]
    os.kill(keeper, signal.SIGKILL)
    until(lambda: is_gone(keeper))
    assert engine.ok("inspect", "-f", "{{.State.Status}}", "box") == "exited\n"
    assert not group.exists()


@needs("pids")
def test_a_limit_applies_from_the_start_of_a_foreground_container(
    engine: Sandbox, delegated: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    code = MANY.replace("time.sleep(0.1)", "break")
    flags = ("--rm", "--pids-limit", "5", "--cidfile", str(tmp_path / "id"))
    told = engine.ok("run", *flags, "host", "python3", "-c", code)
    assert told == "4\n"
    assert not (delegated / f"sandbox-{(tmp_path / 'id').read_text()[:12]}").exists()


@needs("pids")
def test_info_and_doctor_show_the_cgroup(engine: Sandbox, delegated: pathlib.Path) -> None:
    assert "tasks: limited by a cgroup of its own" in engine.ok("info")
    facts = json.loads(engine.ok("doctor", "--json"))
    assert [fact["value"] for fact in facts if fact["area"] == "limits"] == [str(delegated)]
