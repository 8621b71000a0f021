# SPDX-License-Identifier: MIT
"""The engine's request for a client's JSON."""

from __future__ import annotations

import pathlib
from typing import Any

import msgspec
import pytest

from sandbox.api.bodies import ContainerBody
from sandbox.api.containers.create_request import (
    changes_of,
    check_name,
    cpus_of,
    memory_of,
    request_of,
    run_config_of,
)
from sandbox.api.errors import ApiError, BadRequest
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import SandboxError
from sandbox.models.policy import Policy


def asked(host: dict[str, Any] | None = None, **fields: Any) -> tuple[CreateRequest, list[str]]:
    document = {"Image": "alpine", "HostConfig": host or {}, **fields}
    return request_of(msgspec.convert(document, ContainerBody), None, None)


def test_absent_fields_leave_the_choice_to_the_image() -> None:
    request, warnings = asked()
    assert (request.image, request.args, request.entrypoint) == ("alpine", (), None)
    assert (request.user, request.working_dir, request.mounts) == (None, None, ())
    assert request.policy == Policy(stdin_once=False)
    assert warnings == []


def test_an_image_is_required() -> None:
    with pytest.raises(BadRequest, match="no image"):
        request_of(msgspec.convert({}, ContainerBody), None, None)


def test_a_command_is_a_list_or_one_word() -> None:
    assert asked(Cmd=["sh", "-c", "x"])[0].args == ("sh", "-c", "x")
    assert asked(Cmd="true")[0].args == ("true",)
    assert asked(Entrypoint=[""])[0].entrypoint == (), "as --entrypoint '' empties the image's"


def test_each_option_without_effect_gives_a_warning_and_is_shown() -> None:
    request, warnings = asked({"Sysctls": {"a": "b"}, "OomKillDisable": False, "CpuShares": 5})
    assert [line.partition(" ")[0] for line in warnings] == ["--sysctl", "--cpu-shares"]
    shown = request.asked["HostConfig"]
    assert (shown["Sysctls"], shown["CpuShares"]) == ({"a": "b"}, 5)


def test_security_options_reach_the_request_and_say_what_has_no_effect() -> None:
    host = {
        "CapAdd": ["NET_ADMIN"],
        "CapDrop": ["chown"],
        "SecurityOpt": ["no-new-privileges", "seccomp=unconfined", "label=disable"],
    }
    request, warnings = asked(host)
    security = request.security
    assert (security.cap_add, security.cap_drop) == (("CAP_NET_ADMIN",), ("CAP_CHOWN",))
    assert (security.no_new_privileges, security.seccomp) == (True, "unconfined")
    assert security.options == tuple(host["SecurityOpt"])
    assert warnings == ["--cap-add NET_ADMIN has no effect: see docs/docker-compat.md"]


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"CgroupParent": "/x"}, "CgroupParent is not supported"),
        ({"DeviceRequests": [{"Driver": "nvidia"}]}, 'device driver "nvidia"'),
        ({"AutoRemove": True, "RestartPolicy": {"Name": "always"}}, "AutoRemove"),
        ({"RestartPolicy": {"Name": "always", "MaximumRetryCount": 2}}, "only be used with"),
        ({"RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": -1}}, "negative"),
        ({"Ulimits": [{"Name": "nope", "Soft": 1, "Hard": 1}]}, "invalid ulimit type"),
        ({"Ulimits": [{"Name": "nofile", "Soft": 9, "Hard": 1}]}, "9 > 1"),
        ({"Binds": "x"}, "invalid JSON: HostConfig"),
        ({"Binds": ["data:/a", "other:/a"]}, "duplicate mount point"),
        ({"Mounts": [{"Type": "bind", "Target": "/a", "Source": "b"}]}, "must be absolute"),
        ({"Mounts": [{"Type": "bind", "Target": "/a", "Source": "/no/such"}]}, "does not exist"),
        ({"Mounts": [{"Type": "tmpfs", "Target": "/a", "Source": "x"}]}, "must not be specified"),
        ({"Mounts": [{"Type": "npipe", "Target": "/a"}]}, "mount type unknown"),
        ({"Mounts": [{"Type": "volume"}]}, "Target must not be empty"),
        (
            {"Mounts": [{"Type": "bind", "Target": "/a", "Source": "/", "TmpfsOptions": {}}]},
            "TmpfsOptions must not",
        ),
        ({"Devices": [{"PathOnHost": "/dev/nope"}]}, '"/dev/nope": no such file'),
        ({"Devices": [{"PathInContainer": "/dev/x", "PathOnHost": None}]}, "no such file"),
    ],
)
def test_unsupported_options_are_refused_by_name(host: dict[str, Any], words: str) -> None:
    with pytest.raises(SandboxError) as caught:
        asked(host)
    assert words in caught.value.message


def test_mounts_are_read_from_all_of_docker_s_fields() -> None:
    request, _ = asked(
        {
            "Binds": ["/:/host:ro", "data:/data"],
            "Tmpfs": {"/run": "mode=700"},
            "Mounts": [{"Target": "/named", "Source": "v", "ReadOnly": True}],
        },
        Volumes={"/anonymous": {}, "/data": {}},
    )
    found = {mount.target: mount for mount in request.mounts}
    assert (found["/host"].type, found["/host"].source, found["/host"].read_only) == (
        "bind",
        "/",
        True,
    )
    assert (found["/data"].type, found["/data"].name) == ("volume", "data")
    assert (found["/run"].type, found["/run"].mode) == ("tmpfs", 0o700)
    assert (found["/named"].name, found["/named"].read_only) == ("v", True)
    assert found["/anonymous"].anonymous
    assert len(request.mounts) == 5


def test_a_short_bind_creates_its_source_directory(tmp_path: pathlib.Path) -> None:
    asked({"Binds": [f"{tmp_path}/new/deep:/x"]})
    assert (tmp_path / "new" / "deep").is_dir()


def test_limits_have_docker_s_meaning() -> None:
    policy = asked({"Memory": 2**26, "NanoCpus": 500_000_000, "PidsLimit": -1})[0].policy
    assert (policy.memory, policy.cpus, policy.pids_limit) == (2**26, 0.5, 0)
    assert cpus_of(None, 50_000, None) == 0.5
    assert cpus_of(None, 10_000, 20_000) == 0.5
    assert cpus_of(None, -1, None) == 0
    assert memory_of(None) == 0


@pytest.mark.parametrize(
    ("nano", "quota", "words"), [(10**9, 5000, "Conflicting"), (1, None, "Range of CPUs")]
)
def test_an_invalid_cpu_limit_is_refused(nano: int | None, quota: int | None, words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        cpus_of(nano, quota, None)


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"Interval": -1}, "cannot be negative"),
        ({"Timeout": 10}, "less than 1ms"),
        ({"Test": ["RUN", "x"]}, "unknown type"),
    ],
)
def test_an_invalid_health_check_is_refused(check: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        asked(Healthcheck=check)


def test_a_health_check_with_times_only_keeps_the_image_s_command() -> None:
    health = asked(Healthcheck={"Interval": 10**9})[0].policy.health
    assert health is not None
    assert (health.test, health.interval) == ((), 10**9)
    assert asked(Healthcheck={})[0].policy.health is None


@pytest.mark.parametrize("entry", ["=x", "", "A=\0"])
def test_a_variable_without_a_name_or_with_a_nul_is_refused(entry: str) -> None:
    with pytest.raises(BadRequest, match="invalid environment variable"):
        asked(Env=[entry])


def test_a_commit_takes_the_image_fields_of_a_configuration() -> None:
    body = msgspec.convert(
        {"Cmd": ["a"], "Env": ["A=1"], "ExposedPorts": {"80/tcp": {}}, "Labels": {"x": "y"}},
        ContainerBody,
    )
    config = run_config_of(body)
    assert (config.cmd, config.env, config.labels) == (["a"], ["A=1"], {"x": "y"})
    assert config.exposed_ports == {"80/tcp": {}}
    assert config.healthcheck is None


def test_a_name_may_have_the_slash_that_inspect_shows() -> None:
    assert check_name("/web") == "web"
    with pytest.raises(SandboxError):
        check_name("a\0b")


def test_an_update_changes_what_it_names_and_nothing_else() -> None:
    changes, warnings = changes_of({"Memory": 2**26, "RestartPolicy": {"Name": "always"}})
    assert changes == {"memory": 2**26, "restart": "always", "restart_max": 0}
    assert warnings == []
    changes, warnings = changes_of({"PidsLimit": 0, "BlkioWeightDevice": [{"Path": "x"}]})
    assert changes == {"pids_limit": 0}
    assert warnings == ["--blkio-weight-device has no effect: transfers of devices are not limited"]


def test_an_update_without_valid_json_is_refused() -> None:
    with pytest.raises(ApiError, match="invalid JSON"):
        changes_of({"Memory": "much"})
