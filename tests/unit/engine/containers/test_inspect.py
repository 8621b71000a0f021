# SPDX-License-Identifier: MIT
"""Docker's JSON of a container: true values, wishes and empty fields."""

from __future__ import annotations

from sandbox.engine.containers.inspect import (
    describe_config,
    describe_container,
    link_names,
    summarize_container,
)
from sandbox.models.container import MountPoint
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.policy import SECOND, Health, Policy
from sandbox.models.timestamps import NEVER
from tests.unit.engine.boxes import BACKEND, ON_BACKEND, box, config, member


def test_a_created_container_has_no_pid_and_no_times() -> None:
    shown = describe_container(box(status="created"), directory="/c", limits_by={})
    assert shown["Name"] == "/web"
    assert (shown["Path"], shown["Args"]) == ("sleep", ["1"])
    state = shown["State"]
    assert (state["Status"], state["Running"], state["Pid"]) == ("created", False, 0)
    assert (state["StartedAt"], state["FinishedAt"]) == (NEVER, NEVER)
    assert (shown["ResolvConfPath"], shown["HostsPath"]) == ("", "")
    assert shown["LogPath"] == f"/c/{'w' * 64}-json.log"


def test_a_running_container_shows_its_pid_files_and_addresses() -> None:
    shown = describe_container(
        box(network=ON_BACKEND),
        directory="/c",
        limits_by={"memory": "cgroup"},
        member=member(),
        networks=[BACKEND],
    )
    assert (shown["State"]["Running"], shown["State"]["Pid"]) == (True, 7)
    assert shown["HostsPath"] == "/run/box/etc/hosts"
    assert shown["NetworkSettings"]["IPAddress"] == "10.9.0.2"
    assert shown["HostConfig"]["LimitsBy"] == {"memory": "cgroup"}
    assert shown["GraphDriver"]["Data"] == {"UpperDir": "/c/upper"}


def test_host_config_shows_true_values_before_wishes() -> None:
    asked = {"HostConfig": {"Memory": 5, "CpuShares": 3, "IpcMode": "private"}}
    policy = Policy(memory=1 << 20, cpus=1.5, pids_limit=9, log_max_size=10, log_max_file=2)
    shown = describe_container(box(policy=policy, asked=asked), directory="/c", limits_by={})
    host = shown["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (1 << 20, 1_500_000_000, 9)
    assert host["LogConfig"] == {
        "Type": "json-file",
        "Config": {"max-size": "10", "max-file": "2"},
    }
    assert host["CpuShares"] == 3  # there is no such limit here: the wish is all there is
    assert host["IpcMode"] == "private"  # clients compare it with what they sent
    assert host["Privileged"] is False


def test_mounts_are_shown_in_both_of_docker_s_forms() -> None:
    mounts = (
        MountPoint("bind", "/in", source="/out", read_only=True, propagation="rslave"),
        MountPoint("volume", "/data", source="/v/_data", name="data"),
        MountPoint("tmpfs", "/tmp"),
    )
    shown = describe_container(box(mounts=mounts), directory="/c", limits_by={})
    assert shown["HostConfig"]["Binds"] == ["/out:/in:ro,rslave"]
    assert shown["HostConfig"]["Tmpfs"] == {"/tmp": ""}
    kinds = [(item["Type"], item["Destination"], item["RW"]) for item in shown["Mounts"]]
    assert kinds == [("bind", "/in", False), ("volume", "/data", True), ("tmpfs", "/tmp", True)]
    assert shown["Mounts"][1]["Name"] == "data"
    assert [item["Propagation"] for item in shown["Mounts"]] == ["rslave", "", ""]


def test_a_health_check_is_in_nanoseconds() -> None:
    health = Health(test=("CMD", "true"), interval=3 * SECOND)
    shown = describe_config(config(policy=Policy(health=health)))
    assert shown["Healthcheck"]["Test"] == ["CMD", "true"]
    assert shown["Healthcheck"]["Interval"] == 3_000_000_000


def test_a_list_names_a_container_by_its_links_too() -> None:
    link = Endpoint("bridge", links=(("d" * 64, "db", "database"),))
    web = box("web", network=NetworkConfig(mode="bridge", endpoints=(link,)))
    links = link_names([web, box("db")])
    assert links == {"d" * 64: ["/web/database"]}
    shown = summarize_container(box("db"), {}, [], links)
    assert shown["Names"] == ["/db", "/web/database"]
    assert (shown["Command"], shown["State"]) == ("sleep 1", "running")
    assert shown["Created"] == 1_767_225_600


def test_a_list_has_a_row_for_each_host_port() -> None:
    container = box(network=ON_BACKEND, exposed_ports=("53/udp",))
    shown = summarize_container(container, {"w" * 64: member()}, [BACKEND], {})
    assert shown["Ports"] == [
        {"PrivatePort": 53, "Type": "udp"},
        {"IP": "0.0.0.0", "PrivatePort": 80, "Type": "tcp", "PublicPort": 8080},
    ]
