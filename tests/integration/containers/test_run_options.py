# SPDX-License-Identifier: MIT
"""Flags of `run` and other commands have Docker's effect, or are refused, or give a warning."""

from __future__ import annotations

import json
import pathlib
import subprocess

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import server

pytestmark = pytest.mark.guest


def test_volumes_from_takes_precedence_over_an_anonymous_volume(engine: Sandbox) -> None:
    engine.ok("run", "--name", "first", "-v", "/v", "host", "sh", "-c", "echo 1 > /v/x")
    flags = ["--volumes-from", "first", "-v", "/v"]
    assert engine.ok("run", "--rm", *flags, "host", "cat", "/v/x") == "1\n"
    config = json.loads(engine.ok("inspect", "first"))[0]["Config"]
    assert config["Volumes"] == {"/v": {}}


def test_a_tmpfs_takes_precedence_over_an_anonymous_volume(engine: Sandbox) -> None:
    engine.ok(
        "create", "--name", "c1", "-v", "/mnt", "-v", "/mnt", "--tmpfs", "/mnt", "host", "true"
    )
    assert engine.ok("inspect", "-f", "{{range .Mounts}}{{.Type}} {{end}}", "c1") == "tmpfs \n"
    assert engine.ok("volume", "ls", "-q") == ""


def test_a_tmpfs_has_the_given_owner_and_mode(engine: Sandbox) -> None:
    flags = ["--tmpfs", "/mnt:uid=33,gid=34,mode=700,noexec", "-u", "33"]
    script = "stat -c %u:%g:%a /mnt; echo x > /mnt/x; cat /mnt/x"
    done = engine.call("run", "--rm", *flags, "host", "sh", "-c", script)
    assert done.stdout.decode().split() == ["33:34:700", "x"]
    assert b"noexec of a tmpfs has no effect" in done.stderr


def test_a_tmpfs_has_the_mode_that_was_asked_for_to_the_bit(engine: Sandbox) -> None:
    flags = ["--tmpfs", "/mnt:mode=500", "--tmpfs", "/opt:mode=2775", "--tmpfs", "/srv"]
    modes = engine.ok("run", "--rm", *flags, "host", "stat", "-c", "%a", "/mnt", "/opt", "/srv")
    assert modes.split() == ["500", "2775", "1777"]


def test_a_read_only_container_has_its_mount_points_and_its_working_directory(
    engine: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").write_text("text\n")
    mounts = ("-v", f"{tmp_path}:/sbx/a/b", "--tmpfs", "/sbx/c/d", "-w", "/sbx/e/f")
    script = "pwd; cat /sbx/a/b/file; touch /sbx/c/d/new; touch /sbx/e/f/new"
    done = engine.call("run", "--rm", "--read-only", *mounts, "host", "sh", "-c", script)
    assert done.stdout == b"/sbx/e/f\ntext\n"
    assert b"Read-only file system" in done.stderr
    assert done.returncode == 1


def test_the_primary_group_is_among_the_groups(engine: Sandbox) -> None:
    script = "grep ^Groups: /proc/self/status"
    flags = ("-u", "5:6", "--group-add", "9")
    assert engine.ok("run", "--rm", *flags, "host", "sh", "-c", script).split()[1:] == ["6", "9"]


@pytest.mark.parametrize("name", ["hosts", "hostname", "resolv.conf"])
def test_hosts_hostname_and_resolv_conf_are_read_only_with_a_read_only_root(
    engine: Sandbox, name: str
) -> None:
    done = engine.call("run", "--rm", "--read-only", "host", "touch", f"/etc/{name}")
    assert done.returncode == 1
    assert b"Read-only file system" in done.stderr


def test_an_unknown_stop_signal_is_refused(engine: Sandbox) -> None:
    done = engine.call("create", "--stop-signal", "NOPE", "host", "true")
    assert done.returncode != 0
    assert b"invalid signal: NOPE" in done.stderr
    assert engine.ok("ps", "-aq") == ""


def test_run_that_only_attaches_stdin_prints_the_id(engine: Sandbox) -> None:
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


def test_an_empty_home_variable_becomes_the_users_home(engine: Sandbox) -> None:
    assert engine.ok("run", "--rm", "-e", "HOME=", "host", "sh", "-c", "echo $HOME") == "/root\n"


def test_a_host_name_with_a_domain_is_also_known_without_it(engine: Sandbox) -> None:
    hosts = engine.ok("run", "--rm", "-h", "web.example.org", "host", "cat", "/etc/hosts")
    assert hosts.splitlines()[-1].split("\t")[1] == "web.example.org web"


def test_a_link_to_a_container_on_the_host_network_is_refused(engine: Sandbox) -> None:
    engine.ok("create", "--network", "host", "--name", "srv", "host", "true")
    done = engine.call("create", "--link", "srv:db", "--network", "bridge", "host", "true")
    assert done.returncode != 0
    assert b"host type networking can't be used with links" in done.stderr
    assert engine.ok("ps", "-a", "--format", "{{.Names}}") == "srv\n"


def test_top_needs_a_pid_column(engine: Sandbox) -> None:
    server(engine)
    done = engine.call("top", "srv", "-o", "comm")
    assert done.returncode == 1
    assert b"PID" in done.stderr


def test_a_tag_that_looks_like_an_id_is_refused(engine: Sandbox) -> None:
    done = engine.call("tag", "host", "sha256:abc")
    assert done.returncode == 1
    assert b"ambiguous tag using digest algorithm as name" in done.stderr


def test_inspect_shows_sizes_and_log_options(engine: Sandbox) -> None:
    engine.ok("create", "--name", "kept", "--log-opt", "max-file=4", "host", "true")
    assert engine.ok("inspect", "-s", "-f", "{{.SizeRw}} {{.SizeRootFs}}", "kept") == "0 0\n"
    shown = engine.ok("inspect", "-f", "{{json .HostConfig.LogConfig.Config}}", "kept")
    assert json.loads(shown) == {"max-file": "4"}


@pytest.mark.parametrize(
    ("flag", "words"),
    [("--health-interval=1us", b"cannot be less than 1ms"), ("--health-retries=-1", b"negative")],
)
def test_invalid_flags_of_a_health_check_are_refused(
    engine: Sandbox, flag: str, words: bytes
) -> None:
    done = engine.call("create", "--health-cmd", "true", flag, "host", "true")
    assert done.returncode != 0
    assert words in done.stderr


def test_invalid_flags_of_events_are_refused_at_once(engine: Sandbox) -> None:
    for flags in (["--since", "1", "--format", "{{nope .}}"], ["--since", "5"]):
        done = engine.call("events", "--until", "2", *flags)
        assert done.returncode == 1
        assert b"not defined" in done.stderr or b"cannot be after" in done.stderr


def test_invalid_detach_keys_are_refused_also_without_a_terminal(engine: Sandbox) -> None:
    for flags in (["--rm"], ["-d"]):
        done = engine.call("run", *flags, "--detach-keys", "x-y", "host", "true")
        assert done.returncode == 125
        assert b"invalid detach keys" in done.stderr
    assert engine.ok("ps", "-aq") == ""
