# SPDX-License-Identifier: MIT
"""`run` works like Docker's: environment, users, mounts, signals, exit codes."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.harness.containers import processes
from tests.harness.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

SLEEP = f"4321.{os.getpid()}"  # seconds; no other process has this argument


@contextmanager
def _started(
    sandbox: Sandbox, *arguments: str, pass_fds: tuple[int, ...] = ()
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        sandbox.argv(*arguments),
        env=sandbox.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=pass_fds,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=100)
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()


def _wait_for(process: subprocess.Popen[bytes], line: bytes) -> None:
    assert process.stdout is not None
    assert process.stdout.readline() == line + b"\n"


def test_only_given_variables_reach_the_container(sandbox: Sandbox) -> None:
    sandbox.environ["LEAK"] = "secret"
    names = dict(
        line.split("=", 1)
        for line in sandbox.ok(
            "run", "--rm", "-e", "A=1", "-e", "LEAKED", "-h", "box", "host", "env"
        ).splitlines()
    )
    assert names.pop("PATH") == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert names.pop("HOME") == "/root"
    assert names.pop("HOSTNAME") == "box"
    assert names == {"A": "1"}


def test_the_host_name_is_in_uname_hostname_and_hosts(sandbox: Sandbox) -> None:
    script = "uname -n; cat /etc/hostname; grep -w box /etc/hosts"
    for network, address in (("host", r"127\.0\.0\.1"), ("bridge", r"127(\.\d+){3}")):
        options = ("--hostname", "box", "--network", network)
        output = sandbox.ok("run", "--rm", *options, "host", "sh", "-c", script)
        assert output.splitlines()[:2] == ["box", "box"]
        assert re.fullmatch(rf"{address}\s+box", output.splitlines()[2])


def test_the_user_is_looked_up_in_the_container_s_passwd_file(sandbox: Sandbox) -> None:
    output = sandbox.ok("run", "--rm", "-u", "www-data", "host", "id")
    assert output == "uid=33(www-data) gid=33(www-data) groups=33(www-data)\n"
    assert sandbox.ok("run", "--rm", "-u", "12:34", "host", "id", "-u") == "12\n"
    done = sandbox.call("run", "--rm", "-u", "nobody-here", "host", "id")
    assert done.returncode == 125
    assert b"unable to find user nobody-here" in done.stderr


def test_a_missing_working_directory_is_created(sandbox: Sandbox) -> None:
    assert sandbox.ok("run", "--rm", "-w", "/new/dir", "host", "pwd") == "/new/dir\n"


@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        (["no-such-command"], 127, '"no-such-command": executable file not found in $PATH'),
        (["/no/such"], 127, "no such file or directory"),
        (["/etc/passwd"], 126, "permission denied"),
        (["/etc"], 126, "is a directory"),
        (["sh", "-c", "exit 42"], 42, ""),
        (["sh", "-c", "kill -TERM $$; exit 3"], 3, ""),
        (["sh", "-c", "sh -c 'kill -KILL $$'; exit $?"], 137, ""),
    ],
)
def test_exit_codes_are_the_same_as_dockers(
    sandbox: Sandbox, command: list[str], code: int, message: str
) -> None:
    done = sandbox.call("run", "--rm", "host", *command)
    assert done.returncode == code
    assert message in done.stderr.decode()
    assert sandbox.ok("ps", "-aq") == ""


def test_standard_input_is_closed_unless_attached(sandbox: Sandbox) -> None:
    done = sandbox.call("run", "--rm", "host", "cat", stdin=b"text")
    assert (done.returncode, done.stdout) == (0, b"")


def test_descriptors_of_the_caller_are_not_inherited(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    leak = os.open(tmp_path, os.O_RDONLY)
    with _started(
        sandbox, "run", "--rm", "host", "sh", "-c", "ls /proc/self/fd", pass_fds=(leak,)
    ) as process:
        output = process.communicate(timeout=100)[0].split()
    os.close(leak)
    assert set(output) <= {b"0", b"1", b"2", b"3"}


def test_bind_mounts_show_host_directories_and_may_be_read_only(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "from-host").write_text("hello")
    script = "cat /data/from-host; echo back > /data/from-guest; stat -c %u /data/from-guest"
    output = sandbox.ok("run", "--rm", "-v", f"{shared}:/data", "host", "sh", "-c", script)
    assert output == "hello0\n"
    assert (shared / "from-guest").read_text() == "back\n"
    done = sandbox.call(
        "run", "--rm", "-v", f"{shared}:/data:ro", "host", "sh", "-c", "echo > /data/x"
    )
    assert done.returncode != 0
    assert b"Read-only file system" in done.stderr
    assert not (shared / "x").exists()


def test_a_missing_source_is_created_for_v_and_refused_for_mount(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    missing = tmp_path / "missing"
    mount = f"type=bind,src={missing},dst=/data"
    done = sandbox.call("run", "--rm", "--mount", mount, "host", "true")
    assert done.returncode == 125
    assert f"bind source path does not exist: {missing}".encode() in done.stderr
    sandbox.ok("run", "--rm", "-v", f"{missing}:/data", "host", "true")
    assert missing.is_dir()


def test_a_tmpfs_is_empty_and_leaves_nothing(sandbox: Sandbox) -> None:
    script = "ls -A /usr/share; echo x > /usr/share/y; cat /usr/share/y"
    output = sandbox.ok("run", "--name", "c1", "--tmpfs", "/usr/share", "host", "sh", "-c", script)
    assert output == "x\n"
    assert "/usr/share/y" not in sandbox.ok("diff", "c1")


def test_a_read_only_root_refuses_writes(sandbox: Sandbox) -> None:
    done = sandbox.call(
        "run", "--rm", "--read-only", "--tmpfs", "/run", "host",
        "sh", "-c", "echo > /run/sbx && echo > /etc/sbx",
    )  # fmt: skip
    assert done.returncode != 0
    assert b"/etc/sbx: Read-only file system" in done.stderr


def test_ulimits_are_set(sandbox: Sandbox) -> None:
    output = sandbox.ok(
        "run", "--rm", "--ulimit", "nofile=100:200", "host", "sh", "-c", "ulimit -n; ulimit -Hn"
    )
    assert output == "100\n200\n"
    done = sandbox.call("run", "--rm", "--ulimit", "nofile=999999999", "host", "true")
    assert done.returncode == 125
    assert b"--ulimit nofile: 999999999 is more than the" in done.stderr


def test_a_signal_to_the_command_reaches_the_program(sandbox: Sandbox) -> None:
    script = "trap 'echo got it; exit 9' USR1; echo ready; while :; do sleep 0.05; done"
    with _started(sandbox, "run", "--rm", "host", "sh", "-c", script) as process:
        _wait_for(process, b"ready")
        process.send_signal(signal.SIGUSR1)
        output, _ = process.communicate(timeout=100)
        assert (process.returncode, output) == (9, b"got it\n")


def test_no_process_outlives_the_main_process(sandbox: Sandbox) -> None:
    script = f"(setsid sleep {SLEEP} &) ; (sleep {SLEEP} &) ; echo done"
    assert sandbox.ok("run", "--rm", "host", "sh", "-c", script) == "done\n"
    assert processes(SLEEP) == []


def test_runtime_files_are_removed_with_the_container(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    sandbox.ok("run", "--rm", "host", "true")
    left = os.listdir(runtime / "sandbox")
    assert [
        name for name in left if name != "interceptor"
    ] == []  # the cached facts about the host remain


def test_a_container_is_listed_while_it_runs_and_after(sandbox: Sandbox) -> None:
    arguments = ("run", "--name", "c1", "host", "sh", "-c", "echo up; sleep 60")
    with _started(sandbox, *arguments) as process:
        _wait_for(process, b"up")
        assert sandbox.ok("ps", "--format", "{{.Names}} {{.State}}") == "c1 running\n"
        done = sandbox.call("rm", "c1")
        assert done.returncode == 1
        assert b"container is running" in done.stderr
        process.terminate()
        process.communicate(timeout=100)
        assert process.returncode == 143
        (shown,) = json.loads(sandbox.ok("inspect", "c1"))
        assert (shown["State"]["Status"], shown["State"]["ExitCode"]) == ("exited", 143)
        sandbox.ok("rm", "c1")


def test_rm_force_ends_a_running_container(sandbox: Sandbox) -> None:
    arguments = ("run", "--name", "c1", "host", "sh", "-c", "echo up; sleep 60")
    with _started(sandbox, *arguments) as process:
        _wait_for(process, b"up")
        sandbox.ok("rm", "-f", "c1")
        process.communicate(timeout=100)
        assert process.returncode == 137
        assert sandbox.ok("ps", "-aq") == ""


def test_a_container_outlives_a_killed_command(sandbox: Sandbox) -> None:
    script = f"sleep {SLEEP} & echo up; wait"
    with _started(sandbox, "run", "--name", "c1", "host", "sh", "-c", script) as process:
        _wait_for(process, b"up")
    assert sandbox.ok("ps", "--format", "{{.Names}}") == "c1\n"
    assert sandbox.ok("logs", "c1") == "up\n"
    until(lambda: len(processes(SLEEP)) == 1)
    sandbox.ok("rm", "-f", "c1")
    assert processes(SLEEP) == []


def test_a_container_with_rm_disappears_after_its_command_was_killed(sandbox: Sandbox) -> None:
    with _started(sandbox, "run", "--rm", "host", "sh", "-c", "echo up; sleep 60") as process:
        _wait_for(process, b"up")
    until(lambda: not sandbox.ok("ps", "-aq"))


def test_changes_of_a_container_are_there_when_it_starts_again(sandbox: Sandbox) -> None:
    script = "test -e /etc/sbx && exit 7; echo > /etc/sbx"
    sandbox.ok("run", "--name", "c1", "host", "sh", "-c", script)
    assert sandbox.call("start", "-a", "c1").returncode == 7


def test_cidfile_holds_the_id_and_must_not_exist(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "cid"
    sandbox.ok("run", "--cidfile", str(path), "host", "true")
    assert path.read_text() + "\n" == sandbox.ok("ps", "-aq", "--no-trunc")
    done = sandbox.call("run", "--cidfile", str(path), "host", "true")
    assert done.returncode == 125
    assert b"container ID file found" in done.stderr


def test_ten_containers_add_little_to_the_store(sandbox: Sandbox) -> None:
    sandbox.ok("run", "host", "true")
    before = _usage(sandbox.store)
    for _ in range(10):
        sandbox.ok("run", "host", "true")
    after = _usage(sandbox.store)
    assert (after[0] - before[0]) / 10 < 100 * 1024
    assert (after[1] - before[1]) / 10 < 20


def _usage(path: pathlib.Path) -> tuple[int, int]:
    found = [item.lstat() for item in path.rglob("*")]
    return sum(item.st_blocks * 512 for item in found), len(found)
