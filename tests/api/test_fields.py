# SPDX-License-Identifier: MIT
"""What clients with typed models look for: the fields that API 1.44 always has."""

from __future__ import annotations

import platform

import pytest

from tests.harness.apiserver import Server

pytestmark = pytest.mark.guest
# Of HostConfig, without MaskedPaths and ReadonlyPaths: here the runtime decides what is hidden.
HOST_CONFIG = """
AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps
BlkioWeight BlkioWeightDevice CapAdd CapDrop Cgroup CgroupParent CgroupnsMode ConsoleSize
ContainerIDFile CpuCount CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime
CpuShares CpusetCpus CpusetMems DeviceCgroupRules DeviceRequests Devices Dns DnsOptions DnsSearch
ExtraHosts GroupAdd IOMaximumBandwidth IOMaximumIOps IpcMode Isolation Links LogConfig Memory
MemoryReservation MemorySwap MemorySwappiness NanoCpus NetworkMode OomKillDisable OomScoreAdj
PidMode PidsLimit PortBindings Privileged PublishAllPorts ReadonlyRootfs RestartPolicy Runtime
SecurityOpt ShmSize UTSMode Ulimits UsernsMode VolumeDriver VolumesFrom
"""


def test_a_host_config_has_every_field_and_what_was_asked(api: Server) -> None:
    host = {"PidsLimit": 44, "ConsoleSize": [20, 70]}
    api.create("true", name="one", HostConfig=host)
    shown = api.ok("GET", "/containers/one/json")["HostConfig"]
    assert set(HOST_CONFIG.split()) - set(shown) == set()
    assert {name: shown[name] for name in host} == host
    assert (shown["CpuCount"], shown["DeviceCgroupRules"]) == (0, None)


def test_info_tells_of_the_limits_that_hold_here(api: Server) -> None:
    info = api.ok("GET", "/info")
    held = ("MemoryLimit", "CPUSet", "PidsLimit", "CpuCfsPeriod", "CpuCfsQuota")
    assert [name for name in held if not info[name]] == []
    assert not info["SwapLimit"]
    assert info["OSVersion"] == platform.freedesktop_os_release().get("VERSION_ID", "")
