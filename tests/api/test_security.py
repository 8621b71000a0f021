# SPDX-License-Identifier: MIT
"""Security options over the API: of containers and execs, and in what the server says of itself."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from sandbox.models.security import ALL_CAPABILITIES
from sandbox.native import probe
from tests.harness.apiserver import Docker, Server

pytestmark = pytest.mark.guest
STATUS = ("grep", "-E", "CapEff|NoNewPrivs", "/proc/self/status")
PROFILE = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}],
}


def test_a_host_config_has_docker_s_security_options(api: Server) -> None:
    host: dict[str, Any] = {
        "CapAdd": ["CHOWN"],
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges:true", f"seccomp={json.dumps(PROFILE)}"],
    }
    api.create(*STATUS, name="one", HostConfig=host)
    shown = api.ok("GET", "/containers/one/json")["HostConfig"]
    assert (shown["CapAdd"], shown["CapDrop"]) == (["CAP_CHOWN"], ["ALL"])
    assert shown["SecurityOpt"] == host["SecurityOpt"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"CapAdd": ["FLY"]}, 'unknown capability: "CAP_FLY"'),
        ({"SecurityOpt": ["apparmor=docker-default"]}, "no AppArmor profile"),
        ({"SecurityOpt": ["seccomp={"]}, "decoding seccomp profile failed"),
        ({"SecurityOpt": ["colour=red"]}, "invalid --security-opt"),
    ],
)
def test_a_wrong_security_option_is_refused(api: Server, host: dict[str, Any], words: str) -> None:
    body = {"Image": "host", "Cmd": ["true"], "HostConfig": host}
    status, said = api.call("POST", "/containers/create", body)
    assert (status, words in said["message"]) == (400, True)


def test_what_has_no_effect_gives_a_warning(api: Server) -> None:
    body = {"Image": "host", "Cmd": ["true"], "HostConfig": {"CapAdd": ["NET_ADMIN"]}}
    [warning] = api.ok("POST", "/containers/create", body)["Warnings"]
    assert warning.startswith("--cap-add NET_ADMIN has no effect")


def test_docker_s_command_line_sends_capabilities_and_profiles(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps(PROFILE))
    flags = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    printed = docker.ok(
        "run", "--rm", *flags, "host", "grep", "-E", "CapEff|NoNew", "/proc/self/status"
    )
    assert printed.split() == ["CapEff:", "0" * 16, "NoNewPrivs:", "1"]
    done = docker.call("run", "--rm", "--security-opt", f"seccomp={path}", "host", "mkdir", "/x")
    assert b"No space left on device" in done.stderr
    docker.ok("run", "-d", "--name", "plain", "--privileged", "host", "sleep", "1000")
    assert docker.ok("inspect", "-f", "{{.HostConfig.Privileged}}", "plain") == "true\n"
    docker.ok("rm", "-f", "plain")


def test_a_privileged_exec_has_all_capabilities(docker: Docker) -> None:
    docker.ok("run", "-d", "--name", "bare", "--cap-drop", "ALL", "host", "sleep", "1000")
    read = ["bare", "grep", "CapEff", "/proc/self/status"]
    assert docker.ok("exec", *read).split()[1] == "0" * 16
    assert int(docker.ok("exec", "--privileged", *read).split()[1], 16) == ALL_CAPABILITIES
    docker.ok("rm", "-f", "bare")


def test_info_says_what_stands_in_docker_s_words(api: Server, docker: Docker) -> None:
    facts = api.ok("GET", "/info")
    assert "name=seccomp,profile=builtin" in facts["SecurityOptions"]
    assert "name=rootless" in facts["SecurityOptions"]
    stands = f"name=landlock,abi={probe.landlock()}" in facts["SecurityOptions"]
    assert (stands, facts["Warnings"] is None) == (
        (True, True) if probe.landlock() > 0 else (False, False)
    )
    printed = docker.ok("info")
    assert "  seccomp\n   Profile: builtin\n" in printed
    assert "rootless\n" in printed
