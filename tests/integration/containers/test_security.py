# SPDX-License-Identifier: MIT
"""Capabilities, seccomp profiles and the kernel's fence do what their flags promise."""

from __future__ import annotations

import errno
import json
import os
import pathlib
import re
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from sandbox.models.security import ALL_CAPABILITIES, DEFAULT_CAPABILITIES
from sandbox.native import probe
from tests.harness.command import ROOT, Sandbox
from tests.harness.restrict import LANDLOCK_CREATE_RULESET

pytestmark = pytest.mark.guest
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
RESTRICT = ROOT / "tests" / "harness" / "restrict.py"
INTERCEPTORS = ("trap", "rewrite", "ptrace")
# Send a signal to a process of another user.
SIGNAL = """
import os, signal
out, into = os.pipe()
child = os.fork()
if child == 0:
    os.setresuid(5, 5, 5)
    os.write(into, b"x")
    signal.pause()
os.read(out, 1)
os.kill(child, 9)
"""


def sets(status: str) -> list[int]:
    """Return the capability sets of /proc/PID/status, in the order of SETS."""
    found = dict(re.findall(r"(Cap\w+):\s*(\w+)", status))
    return [int(found[name], 16) for name in SETS]


# ---- capabilities ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ([], DEFAULT_CAPABILITIES),
        (["--cap-drop", "ALL"], 0),
        (["--cap-drop=all", "--cap-add=net_raw", "--cap-add", "CAP_CHOWN"], 1 << 13 | 1),
        (["--cap-add", "ALL", "--cap-drop", "SYS_ADMIN"], ALL_CAPABILITIES & ~(1 << 21)),
        (["--privileged"], ALL_CAPABILITIES),
    ],
)
def test_the_capabilities_of_a_container_are_those_of_its_flags(
    engine: Sandbox, flags: list[str], wanted: int
) -> None:
    script = "cat /proc/self/status; (sleep 9 & cat /proc/$!/status)"
    printed = engine.ok("run", "--rm", *flags, "host", "sh", "-c", script)
    own, _, other = printed.partition("CapAmb")
    assert sets(own + "CapAmb: 0") == [0, wanted, wanted, wanted, 0]
    assert sets(other.partition("\n")[2])[3] == wanted, "another process of the container"
    user = engine.ok("run", "--rm", "-u", "65534", *flags, "host", "cat", "/proc/self/status")
    assert sets(user) == [0, 0, 0, wanted, 0]


@pytest.mark.skipif(not os.path.exists("/usr/sbin/capsh"), reason="no capsh here")
def test_capsh_shows_the_capabilities(engine: Sandbox) -> None:
    flags = ["--cap-drop", "all", "--cap-add", "kill", "--cap-add", "setuid"]
    printed = engine.ok("run", "--rm", *flags, "host", "/usr/sbin/capsh", "--print")
    assert "Current: cap_kill,cap_setuid=ep\n" in printed
    assert "Bounding set =cap_kill,cap_setuid\n" in printed


@pytest.mark.parametrize(
    ("capability", "script", "words"),
    [
        ("CHOWN", "touch /tmp/x && chown 5 /tmp/x", "Operation not permitted"),
        ("DAC_OVERRIDE", "chmod 0 /tmp && chown 5 /tmp && ls /tmp", "Permission denied"),
        ("FOWNER", "touch /tmp/x && chown 5 /tmp/x && chmod 777 /tmp/x", "not permitted"),
        ("SETUID", "setpriv --reuid=5 --clear-groups true", "Operation not permitted"),
        ("SYS_CHROOT", "/usr/sbin/chroot / true", "Operation not permitted"),
        ("MKNOD", "mknod /tmp/x c 1 3", "Operation not permitted"),
        ("KILL", f"{sys.executable} -c '{SIGNAL}'", "Operation not permitted"),
    ],
)
def test_what_a_dropped_capability_allowed_fails(
    engine: Sandbox, capability: str, script: str, words: str
) -> None:
    drop = ["--cap-drop", capability]
    if capability == "DAC_OVERRIDE":
        drop += ["--cap-drop", "DAC_READ_SEARCH"]
    done = engine.call("run", "--rm", *drop, "host", "sh", "-c", script)
    assert done.returncode != 0
    assert words in done.stderr.decode()
    assert engine.call("run", "--rm", "host", "sh", "-c", script).returncode == 0


def test_every_user_binds_low_ports_as_with_docker(engine: Sandbox) -> None:
    bind = "import socket; socket.socket().bind(('0.0.0.0', 80))"
    command = ["--network", "bridge", "host", sys.executable, "-c", bind]
    engine.ok("run", "--rm", "-u", "5", "--cap-drop", "ALL", *command)


def test_no_new_privileges_holds_for_every_process(engine: Sandbox) -> None:
    flag = ["--security-opt", "no-new-privileges"]
    engine.ok("run", "-d", "--name", "box", *flag, "host", "sleep", "1000")
    assert "NoNewPrivs:\t1" in engine.ok("exec", "box", "cat", "/proc/self/status")
    script = "cp /usr/bin/id /id && chmod 4755 /id && setpriv --reuid=5 --clear-groups /id -u"
    assert engine.ok("run", "--rm", "host", "sh", "-c", script) == "0\n"
    assert engine.ok("run", "--rm", *flag, "host", "sh", "-c", script) == "5\n"


def test_a_privileged_exec_has_all_capabilities(engine: Sandbox) -> None:
    engine.ok("run", "-d", "--name", "box", "--cap-drop", "ALL", "host", "sleep", "1000")
    status = ["cat", "/proc/self/status"]
    assert sets(engine.ok("exec", "box", *status))[2] == 0
    assert sets(engine.ok("exec", "--privileged", "box", *status))[2] == ALL_CAPABILITIES


def test_inspect_shows_the_options_and_a_restart_keeps_them(engine: Sandbox) -> None:
    flags = ["--cap-add", "kill", "--cap-drop", "chown", "--security-opt", "label=disable"]
    engine.ok("run", "-d", "--name", "box", *flags, "host", "sleep", "1000")
    shown = json.loads(engine.ok("inspect", "box"))[0]["HostConfig"]
    assert (shown["CapAdd"], shown["CapDrop"]) == (["CAP_KILL"], ["CAP_CHOWN"])
    assert (shown["SecurityOpt"], shown["Privileged"]) == (["label=disable"], False)
    engine.ok("restart", "-t", "0", "box")
    found = sets(engine.ok("exec", "box", "cat", "/proc/self/status"))[2]
    assert found == DEFAULT_CAPABILITIES & ~1


def test_options_without_effect_give_a_warning_and_wrong_ones_an_error(engine: Sandbox) -> None:
    done = engine.call("create", "--cap-add", "net_admin", "--privileged", "host", "true")
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2
    assert all(line.startswith("sandbox: warning: ") for line in lines)
    for flag, value in (
        ("--cap-drop", "fly"),
        ("--security-opt", "apparmor=docker-default"),
        ("--security-opt", "seccomp=/no/such/file"),
        ("--security-opt", "colour=red"),
    ):
        done = engine.call("create", flag, value, "host", "true")
        assert done.returncode == 125
        assert len(done.stderr.splitlines()) == 1


# ---- seccomp profiles -----------------------------------------------------------------------


def profile(folder: pathlib.Path, *calls: dict[str, Any], default: str = "ALLOW") -> str:
    path = folder / "profile.json"
    body = {"defaultAction": f"SCMP_ACT_{default}", "syscalls": calls}
    path.write_text(json.dumps(body, indent=2))
    return f"--security-opt=seccomp={path}"


def refuse(*names: str, **more: Any) -> dict[str, Any]:
    return {"names": list(names), "action": "SCMP_ACT_ERRNO", "errnoRet": errno.EXFULL, **more}


MAKE = """
import ctypes, os
def say(what, call, *args):
    try:
        print(what, call(*args) is None)
    except OSError as exc:
        print(what, exc.errno)
for i in range(20):  # more often than a call site traps before it is rewritten
    try:
        os.mkdir(f"/tmp/made{i}")
    except OSError:
        pass
say("mkdir", os.mkdir, "/tmp/last")
say("priority", os.getpriority, 0, 0)
libc = ctypes.CDLL(None, use_errno=True)
for persona in (8, 0xFFFFFFFF):
    print("personality", libc.personality(persona), ctypes.get_errno())
print(len(os.listdir("/etc")) > 3, os.stat("/etc/passwd").st_uid)
"""


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_a_profile_refuses_calls_of_the_runtime_and_of_the_kernel_alike(
    engine: Sandbox, tmp_path: pathlib.Path, interceptor: str
) -> None:
    eight = [{"index": 0, "value": 8, "op": "SCMP_CMP_EQ"}]
    flag = profile(
        tmp_path, refuse("mkdir", "mkdirat", "getpriority"), refuse("personality", args=eight)
    )
    way = ["--interceptor", interceptor]
    printed = engine.ok("run", "--rm", *way, flag, "host", sys.executable, "-c", MAKE)
    assert printed.splitlines() == [
        f"mkdir {errno.EXFULL}",
        f"priority {errno.EXFULL}",
        f"personality -1 {errno.EXFULL}",
        f"personality 0 {errno.EXFULL}",
        "True 0",
    ]


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_a_profile_kills_a_process(
    engine: Sandbox, tmp_path: pathlib.Path, interceptor: str
) -> None:
    call = {"names": ["rmdir", "getpriority"], "action": "SCMP_ACT_KILL_PROCESS"}
    flag = profile(tmp_path, call)
    way = ["--interceptor", interceptor]
    for script in ("mkdir /tmp/d && rmdir /tmp/d; echo $?", "nice; echo $?"):
        printed = engine.ok("run", "--rm", *way, flag, "host", "sh", "-c", script)
        assert printed == "159\n"


def test_a_profile_that_lists_what_is_allowed_runs_programs(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    """The runtime makes calls of its own that the list lacks."""
    table = (ROOT / "csrc" / "arch" / "x86_64" / "pure" / "names.def").read_text()
    refused = {"statx", "renameat2", "linkat", "process_vm_readv", "mkdir", "mkdirat", "tkill"}
    names = [name for name in re.findall(r"NAME\(\d+, (\w+)\)", table) if name not in refused]
    allow = {"names": names, "action": "SCMP_ACT_ALLOW"}
    flag = profile(tmp_path, allow, default="ERRNO")
    script = "echo x >> /etc/passwd && tail -n 1 /etc/passwd && cd /etc && pwd && mkdir /tmp/d"
    done = engine.call("run", "--rm", flag, "host", "sh", "-c", script)
    assert done.stdout.decode().splitlines() == ["x", "/etc"]
    assert b"Operation not permitted" in done.stderr
    engine.ok("run", "--rm", flag, "host", sys.executable, "-c", "import json, subprocess, ssl")


def test_a_profile_holds_for_an_exec_and_inspect_shows_its_json(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    flag = profile(tmp_path, refuse("mkdir", "mkdirat"))
    engine.ok("run", "-d", "--name", "box", flag, "host", "sleep", "1000")
    done = engine.call("exec", "box", "mkdir", "/tmp/d")
    assert os.strerror(errno.EXFULL).encode() in done.stderr
    shown = json.loads(engine.ok("inspect", "box"))[0]
    [option] = shown["HostConfig"]["SecurityOpt"]
    name, _, text = option.partition("=")
    assert (name, json.loads(text)["defaultAction"]) == ("seccomp", "SCMP_ACT_ALLOW")
    assert shown["State"]["Confinement"]["Seccomp"] == "custom"


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_unconfined_allows_what_only_docker_s_default_profile_refuses(
    engine: Sandbox, interceptor: str
) -> None:
    code = "import ctypes, os; me = os.getpid(); print(ctypes.CDLL(None).syscall(312, me, me, 2))"
    command = ["--interceptor", interceptor, "host", sys.executable, "-c", code]
    assert engine.ok("run", "--rm", *command) == "-1\n"
    for flags in (["--security-opt", "seccomp=unconfined"], ["--privileged"]):
        assert engine.ok("run", "--rm", *flags, *command) == "0\n"


def test_rules_of_a_profile_depend_on_the_capabilities(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    flag = profile(tmp_path, refuse("chroot", excludes={"caps": ["CAP_SYS_ADMIN"]}))
    command = ["host", "/usr/sbin/chroot", "/", "true"]
    assert engine.call("run", "--rm", flag, *command).returncode == 125
    engine.ok("run", "--rm", flag, "--cap-add", "sys_admin", *command)


# ---- the fence ------------------------------------------------------------------------------


def under_a_filter(
    engine: Sandbox, error: int, *arguments: str, call: int = LANDLOCK_CREATE_RULESET
) -> subprocess.CompletedProcess[bytes]:
    """Run the command where a system call fails."""
    return subprocess.run(
        [
            *(sys.executable, str(RESTRICT), "--refuse", str(call), str(error)),
            *engine.argv(*arguments),
        ],
        env=engine.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=200,
        check=False,
    )


@pytest.mark.parametrize("error", [errno.EPERM, errno.ENOSYS])
def test_a_missing_fence_is_told_once_and_in_info_doctor_and_inspect(
    engine: Sandbox, tmp_path: pathlib.Path, error: int
) -> None:
    fresh = replace(engine, store=tmp_path / "store")
    first = under_a_filter(fresh, error, "run", "--rm", "host", "true")
    [line] = first.stderr.decode().splitlines()
    assert first.returncode == 0
    assert "Landlock" in line
    assert "docs/threat-model.md" in line
    second = under_a_filter(fresh, error, "run", "-d", "--name", "box", "host", "sleep", "1000")
    assert (second.returncode, second.stderr) == (0, b"")
    try:
        shown = json.loads(fresh.ok("inspect", "box"))[0]["State"]["Confinement"]
        assert (shown["Stands"], shown["Landlock"], shown["Covers"]) == (False, 0, [])
    finally:
        fresh.ok("rm", "-f", "box")
    facts = json.loads(under_a_filter(fresh, error, "info", "-f", "json").stdout)
    assert not any("landlock" in option for option in facts["SecurityOptions"])
    assert "Landlock" in facts["Warnings"][0]
    doctor = under_a_filter(fresh, error, "doctor").stdout.decode()
    assert " - landlock: not there" in doctor


def test_a_container_that_requires_confinement_does_not_start_without_it(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    fresh = replace(engine, store=tmp_path / "store")
    refused = under_a_filter(
        fresh, errno.ENOSYS, "run", "--require-confinement", "host", "touch", str(tmp_path / "ran")
    )
    assert refused.returncode == 125
    assert b"confinement is required and does not stand" in refused.stderr
    (fresh.store / "settings.toml").write_text("require-confinement = true\n")
    for way in (["run", "host", "true"], ["run", "-d", "host", "true"]):
        refused = under_a_filter(fresh, errno.ENOSYS, *way)
        assert refused.returncode == 125
        assert b"confinement is required and does not stand" in refused.stderr
    doctor = under_a_filter(fresh, errno.ENOSYS, "doctor")
    assert (doctor.returncode, b" ! landlock: not there" in doctor.stdout) == (1, True)


@pytest.mark.skipif(probe.landlock() < 1, reason="this kernel has no Landlock")
def test_what_stands_is_shown(engine: Sandbox) -> None:
    flags = ["-d", "--name", "box", "--require-confinement"]
    engine.ok("run", *flags, "host", "sleep", "1000")
    shown = json.loads(engine.ok("inspect", "box"))[0]
    found = shown["State"]["Confinement"]
    assert (found["Stands"], found["Landlock"]) == (True, probe.landlock())
    assert (found["Covers"][0], found["Seccomp"]) == ("files", "builtin")
    assert shown["HostConfig"]["RequireConfinement"]
    options = json.loads(engine.ok("info", "-f", "json"))["SecurityOptions"]
    assert options[:2] == ["name=seccomp,profile=builtin", "name=rootless"]
    assert f"name=landlock,abi={probe.landlock()}" in options


@pytest.mark.skipif(probe.landlock() < 1, reason="this kernel has no Landlock")
@pytest.mark.parametrize("call", [LANDLOCK_CREATE_RULESET + 1, LANDLOCK_CREATE_RULESET + 2])
def test_no_container_starts_when_the_fence_cannot_be_built(engine: Sandbox, call: int) -> None:
    done = under_a_filter(engine, errno.EPERM, "run", "--rm", "host", "echo", "ran", call=call)
    assert (done.returncode, done.stdout) == (125, b"")
    assert b"cannot confine" in done.stderr
