# SPDX-License-Identifier: MIT
"""Fields that API 1.44 always has, since clients with typed models need them."""

from __future__ import annotations

import platform

import pytest

from tests.harness.apiserver import Server

pytestmark = pytest.mark.guest
HOST_CONFIG = """
AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps
BlkioWeight BlkioWeightDevice CapAdd CapDrop Cgroup CgroupParent CgroupnsMode ConsoleSize
ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime
CpuShares CpusetCpus CpusetMems DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch
ExtraHosts GroupAdd IOMaximumBandwidth IOMaximumIOps IpcMode Isolation Links LogConfig MaskedPaths
Memory MemoryReservation MemorySwap MemorySwappiness NanoCpus NetworkMode OomKillDisable OomScoreAdj
PidMode PidsLimit PortBindings Privileged PublishAllPorts ReadonlyPaths ReadonlyRootfs RestartPolicy
Runtime SecurityOpt ShmSize UTSMode Ulimits UsernsMode VolumeDriver VolumesFrom
"""


def test_a_host_config_has_every_field_and_the_requested_values(api: Server) -> None:
    host = {"PidsLimit": 44, "ConsoleSize": [20, 70]}
    api.create("true", name="one", HostConfig=host)
    shown = api.ok("GET", "/containers/one/json")["HostConfig"]
    assert set(HOST_CONFIG.split()) - set(shown) == set()
    assert {name: shown[name] for name in host} == host
    assert (shown["CpuCount"], shown["DeviceCgroupRules"]) == (0, None)
    assert (shown["MaskedPaths"], shown["ReadonlyPaths"]) == ([], [])


def test_masked_paths_are_shown_and_give_a_warning(api: Server) -> None:
    host = {"MaskedPaths": ["/proc/keys"], "ReadonlyPaths": []}
    said = api.ok("POST", "/containers/create?name=one", {"Image": "host", "HostConfig": host})
    assert said["Warnings"] == ["MaskedPaths has no effect: see docs/docker-compat.md"]
    assert api.ok("GET", "/containers/one/json")["HostConfig"]["MaskedPaths"] == ["/proc/keys"]


def test_info_shows_which_limits_work(api: Server) -> None:
    info = api.ok("GET", "/info")
    held = ("MemoryLimit", "CPUSet", "PidsLimit", "CpuCfsPeriod", "CpuCfsQuota")
    assert [name for name in held if not info[name]] == []
    assert not info["SwapLimit"]
    assert info["CDISpecDirs"] == []
    assert info["OSVersion"] == platform.freedesktop_os_release().get("VERSION_ID", "")


def test_an_image_prune_removes_remains_of_killed_processes(api: Server) -> None:
    left = api.sandbox.store / "tmp" / "killed"
    left.mkdir(parents=True)
    (left / "file").write_bytes(b"x" * 2**20)
    said = api.ok("POST", "/images/prune")
    assert said["SpaceReclaimed"] >= 2**20
    assert not left.exists()
