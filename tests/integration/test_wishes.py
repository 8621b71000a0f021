# SPDX-License-Identifier: MIT
"""What is asked of a container has its effect, or is refused or warned of: Docker's rules."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import server

pytestmark = pytest.mark.guest


def test_another_container_s_volume_comes_before_an_anonymous_one(engine: Sandbox) -> None:
    engine.ok("run", "--name", "first", "-v", "/v", "host", "sh", "-c", "echo 1 > /v/x")
    flags = ["--volumes-from", "first", "-v", "/v"]
    assert engine.ok("run", "--rm", *flags, "host", "cat", "/v/x") == "1\n"
    config = json.loads(engine.ok("inspect", "first"))[0]["Config"]
    assert config["Volumes"] == {"/v": {}}


def test_an_anonymous_volume_gives_way(engine: Sandbox) -> None:
    engine.ok(
        "create", "--name", "c1", "-v", "/mnt", "-v", "/mnt", "--tmpfs", "/mnt", "host", "true"
    )
    assert engine.ok("inspect", "-f", "{{range .Mounts}}{{.Type}} {{end}}", "c1") == "tmpfs \n"
    assert engine.ok("volume", "ls", "-q") == ""


def test_a_tmpfs_belongs_to_whom_it_was_asked_for(engine: Sandbox) -> None:
    flags = ["--tmpfs", "/mnt:uid=33,gid=34,mode=700,noexec", "-u", "33"]
    script = "stat -c %u:%g:%a /mnt; echo x > /mnt/x; cat /mnt/x"
    done = engine.call("run", "--rm", *flags, "host", "sh", "-c", script)
    assert done.stdout.decode().split() == ["33:34:700", "x"]
    assert b"noexec of a tmpfs has no effect" in done.stderr


def test_a_tmpfs_has_the_mode_that_was_asked_for_to_the_bit(engine: Sandbox) -> None:
    flags = ["--tmpfs", "/mnt:mode=500", "--tmpfs", "/opt:mode=2775", "--tmpfs", "/srv"]
    modes = engine.ok("run", "--rm", *flags, "host", "stat", "-c", "%a", "/mnt", "/opt", "/srv")
    assert modes.split() == ["500", "2775", "1777"]


@pytest.mark.parametrize("name", ["hosts", "hostname", "resolv.conf"])
def test_the_files_of_the_network_are_read_only_with_the_root(engine: Sandbox, name: str) -> None:
    done = engine.call("run", "--rm", "--read-only", "host", "touch", f"/etc/{name}")
    assert done.returncode == 1
    assert b"Read-only file system" in done.stderr


def test_a_signal_that_there_is_not_is_refused(engine: Sandbox) -> None:
    done = engine.call("create", "--stop-signal", "NOPE", "host", "true")
    assert done.returncode != 0
    assert b"invalid signal: NOPE" in done.stderr
    assert engine.ok("ps", "-aq") == ""


def test_who_gives_input_only_is_told_the_id(engine: Sandbox) -> None:
    done = subprocess.run(
        engine.argv("run", "-i", "-a", "stdin", "--name", "reader", "host", "cat"),
        env=engine.environment(),
        input=b"words\n",
        capture_output=True,
        timeout=100,
        check=True,
    )
    assert done.stdout.decode() == engine.ok("inspect", "-f", "{{.Id}}", "reader")
    assert engine.ok("logs", "reader") == "words\n"


def test_an_empty_home_is_the_user_s(engine: Sandbox) -> None:
    assert engine.ok("run", "--rm", "-e", "HOME=", "host", "sh", "-c", "echo $HOME") == "/root\n"


def test_a_host_name_with_a_domain_is_known_without_it(engine: Sandbox) -> None:
    hosts = engine.ok("run", "--rm", "-h", "web.example.org", "host", "cat", "/etc/hosts")
    assert hosts.splitlines()[-1].split("\t")[1] == "web.example.org web"


def test_no_link_leads_to_a_container_on_the_machine_s_network(engine: Sandbox) -> None:
    engine.ok("create", "--network", "host", "--name", "srv", "host", "true")
    done = engine.call("create", "--link", "srv:db", "--network", "bridge", "host", "true")
    assert done.returncode != 0
    assert b"host type networking can't be used with links" in done.stderr
    assert engine.ok("ps", "-a", "--format", "{{.Names}}") == "srv\n"


def test_a_list_of_processes_needs_their_pids(engine: Sandbox) -> None:
    server(engine)
    done = engine.call("top", "srv", "-o", "comm")
    assert done.returncode == 1
    assert b"PID" in done.stderr


def test_no_tag_reads_like_an_id(engine: Sandbox) -> None:
    done = engine.call("tag", "host", "sha256:abc")
    assert done.returncode == 1
    assert b"ambiguous tag using digest algorithm as name" in done.stderr


def test_inspect_tells_both_sizes_and_how_many_logs_are_kept(engine: Sandbox) -> None:
    engine.ok("create", "--name", "kept", "--log-opt", "max-file=4", "host", "true")
    assert engine.ok("inspect", "-s", "-f", "{{.SizeRw}} {{.SizeRootFs}}", "kept") == "0 0\n"
    shown = engine.ok("inspect", "-f", "{{json .HostConfig.LogConfig.Config}}", "kept")
    assert json.loads(shown) == {"max-file": "4"}


@pytest.mark.parametrize(
    ("flag", "words"),
    [("--health-interval=1us", b"cannot be less than 1ms"), ("--health-retries=-1", b"negative")],
)
def test_a_health_check_that_cannot_be_is_refused(engine: Sandbox, flag: str, words: bytes) -> None:
    done = engine.call("create", "--health-cmd", "true", flag, "host", "true")
    assert done.returncode != 0
    assert words in done.stderr


def test_events_that_cannot_be_shown_are_told_at_once(engine: Sandbox) -> None:
    for flags in (["--since", "1", "--format", "{{nope .}}"], ["--since", "5"]):
        done = engine.call("events", "--until", "2", *flags)
        assert done.returncode == 1
        assert b"not defined" in done.stderr or b"cannot be after" in done.stderr


def test_keys_that_there_are_not_are_refused_also_without_a_terminal(engine: Sandbox) -> None:
    for flags in (["--rm"], ["-d"]):
        done = engine.call("run", *flags, "--detach-keys", "x-y", "host", "true")
        assert done.returncode == 125
        assert b"invalid detach keys" in done.stderr
    assert engine.ok("ps", "-aq") == ""
