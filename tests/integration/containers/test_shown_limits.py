# SPDX-License-Identifier: MIT
"""Programs see the limits of their container, by files and by calls."""

from __future__ import annotations

import json
import os
import pathlib
import shutil

import pytest

from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

MIB = 1 << 20

LOOK = r"""
import json, os, re, sys
def text(path):
    with open(path) as file:
        return file.read()
def lines(path, pattern):
    return len(re.findall(pattern, text(path), re.MULTILINE))
cgroup = "/sys/fs/cgroup/"
page = os.sysconf("SC_PAGE_SIZE")
memory = dict(re.findall(r"^(\w+):\s+(\d+)", text("/proc/meminfo"), re.MULTILINE))
print(json.dumps({
    "cpus": [
        len(os.sched_getaffinity(0)), os.cpu_count(), os.sysconf("SC_NPROCESSORS_ONLN"),
        os.sysconf("SC_NPROCESSORS_CONF"), lines("/proc/cpuinfo", r"^processor\s*:"),
        lines("/proc/stat", r"^cpu\d"),
    ],
    "online": text("/sys/devices/system/cpu/online").strip(),
    "total": [int(memory["MemTotal"]) << 10, os.sysconf("SC_PHYS_PAGES") * page],
    "free": int(memory["MemFree"]) << 10,
    "available": os.sysconf("SC_AVPHYS_PAGES") * page,
    "memory.max": text(cgroup + "memory.max").strip(),
    "memory.current": int(text(cgroup + "memory.current")),
    "cpu.max": text(cgroup + "cpu.max").strip(),
    "pids.max": text(cgroup + "pids.max").strip(),
    "pids.current": int(text(cgroup + "pids.current")),
    "effective": text(cgroup + "cpuset.cpus.effective").strip(),
    "controllers": text(cgroup + "cgroup.controllers").split(),
    "cgroup": text("/proc/self/cgroup"),
    "mounts": [line.split(" - ")[1] for line in text("/proc/self/mountinfo").splitlines()
               if " /sys/fs/cgroup " in line],
    "files": sorted(name for name in os.listdir(cgroup) if text(cgroup + name) is None),
}))
"""


def look(sandbox: Sandbox, *options: str) -> dict[str, object]:
    found = sandbox.ok("run", "--rm", *options, "host", "python3", "-c", LOOK)
    seen = json.loads(found)
    assert isinstance(seen, dict)
    return seen


def test_a_container_without_limits_sees_the_machine(engine: Sandbox) -> None:
    seen = look(engine)
    machine = pathlib.Path("/proc/meminfo").read_text().split()[1]
    assert seen["total"] == [int(machine) << 10, int(machine) << 10]
    assert seen["cpus"][0] == len(os.sched_getaffinity(0))
    assert (seen["memory.max"], seen["cpu.max"], seen["pids.max"]) == ("max", "max 100000", "max")


def test_files_and_calls_agree_about_the_memory(engine: Sandbox) -> None:
    seen = look(engine, "--memory", "200m")
    assert seen["total"] == [200 * MIB, 200 * MIB]
    assert seen["memory.max"] == str(200 * MIB)
    used = seen["memory.current"]
    assert 2 * MIB < used < 100 * MIB
    for free in (seen["free"], seen["available"]):
        assert abs(200 * MIB - used - free) < 4 * MIB


def test_files_and_calls_agree_about_the_cpus(engine: Sandbox) -> None:
    seen = look(engine, "--cpus", "0.5")
    assert seen["cpus"] == [1] * 6
    assert seen["cpu.max"] == "50000 100000"


def test_files_and_calls_agree_about_chosen_cpus(engine: Sandbox) -> None:
    last = max(os.sched_getaffinity(0))
    seen = look(engine, "--cpuset-cpus", str(last))
    assert seen["cpus"] == [1] * 6
    assert (seen["online"], seen["effective"]) == (str(last), str(last))


def test_the_cgroup_is_the_containers_own(engine: Sandbox) -> None:
    seen = look(engine, "--pids-limit", "50")
    assert seen["cgroup"] == "0::/\n"
    assert seen["mounts"] == ["cgroup2 cgroup ro"]
    assert seen["controllers"] == ["cpuset", "cpu", "memory", "pids"]
    assert (seen["pids.max"], seen["pids.current"]) == ("50", 1)


def test_an_update_changes_what_programs_see(engine: Sandbox) -> None:
    engine.ok("run", "-d", "--name", "updated", "--memory", "200m", "host", "sleep", "1000")
    try:
        script = (
            "cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/cpu.max; nproc; head -1 /proc/meminfo"
        )
        engine.ok("update", "--memory", "300m", "--cpus", "1", "updated")
        told = engine.ok("exec", "updated", "sh", "-c", script).split()
        assert told == [str(300 * MIB), "100000", "100000", "1", "MemTotal:", "307200", "kB"]
    finally:
        engine.ok("rm", "-f", "updated")


AGAIN = r"""
import os
def free(file):
    os.lseek(file, 0, os.SEEK_SET)
    return int(os.read(file, 4096).split()[4]) << 10
file = os.open("/proc/meminfo", os.O_RDONLY)
before = free(file)
memory = bytes([1]) * (50 << 20)
print((before - free(file)) >> 20 in range(45, 60), os.get_inheritable(file))
print(os.lseek(file, 7, os.SEEK_SET), os.lseek(file, 0, os.SEEK_CUR))
print(os.readlink(f"/proc/self/fd/{file}"))
"""


@pytest.mark.parametrize("interceptor", ["rewrite", "trap", "ptrace"])
def test_a_file_that_is_read_again_tells_the_use_of_now(engine: Sandbox, interceptor: str) -> None:
    flags = ["--memory", "256m", "--interceptor", interceptor]
    told = engine.ok("run", "--rm", *flags, "host", "python3", "-c", AGAIN)
    assert told.splitlines() == ["True False", "7 7", "/proc/meminfo"]


@pytest.mark.parametrize(
    ("program", "command", "expected"),
    [
        ("java", "java -XshowSettings:system -version 2>&1 | grep -E 'Provider|Effective CPU';"
         " java -XX:+PrintFlagsFinal -version 2>&1 | awk '/ MaxHeapSize /{print $4 < 2 ^ 28}'",
         ["Provider: cgroupv2", "Effective CPU Count: 1", "1"]),
        ("node", "node -p 'os.cpus().length, [os.cpus().length, os.availableParallelism?.() ?? 1,"
         " os.totalmem(), process.constrainedMemory?.() ?? 268435456].join()'",
         ["1,1,268435456,268435456"]),
    ],
)  # fmt: skip
def test_programs_size_themselves(
    engine: Sandbox, program: str, command: str, expected: list[str]
) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"this machine has no {program}")
    limits = ["--memory", "256m", "--cpus", "1"]
    told = engine.ok("run", "--rm", *limits, "host", "sh", "-c", command, timeout=200)
    lines = [" ".join(line.split()) for line in told.splitlines()]
    assert [line for line in expected if line not in lines] == [], lines
