# SPDX-License-Identifier: MIT
"""Invalid values in a HostConfig are refused, even if they would have no effect."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.api.containers.value_ranges import check_host
from sandbox.api.errors import BadRequest


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ({"IpcMode": "nonsense"}, "invalid IPC mode: nonsense"),
        ({"PidMode": "container"}, "invalid PID mode: container"),
        ({"PidMode": "container:"}, "invalid PID mode: container:"),
        ({"UTSMode": "private"}, "invalid UTS mode: private"),
        ({"UsernsMode": "x"}, "invalid userns mode: x"),
        ({"CgroupnsMode": "x"}, "invalid cgroup namespace mode: x"),
        ({"Annotations": {"": "a"}}, "the empty string is not permitted"),
        ({"Runtime": "nvidia"}, "unknown or invalid runtime name: nvidia"),
        ({"Isolation": "hyperv"}, "invalid isolation 'hyperv' on linux"),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        ({"ShmSize": "1g"}, "HostConfig.ShmSize is no number"),
        ({"OomScoreAdj": 1001}, "range for oom score adj"),
        ({"CpuShares": -1}, "invalid CPU shares"),
        ({"BlkioWeight": 5}, "from 10 to 1000"),
        ({"CpusetMems": "1-2,,"}, "Invalid value 1-2,, for cpuset mems"),
        ({"MemorySwap": 2**25}, "You should always set the Memory limit"),
        ({"Memory": 2**25, "MemorySwap": 2**24}, "should be larger than memory limit"),
        ({"MemorySwappiness": 101}, "valid memory swappiness range"),
        ({"MemoryReservation": 1024}, "Minimum memory reservation allowed is 6MB"),
        ({"Memory": 2**24, "MemoryReservation": 2**25}, "less than memory reservation"),
    ],
)
def test_a_value_outside_its_range_is_refused(host: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        check_host(host)
    assert words in caught.value.message


def test_default_values_of_clients_are_accepted() -> None:
    check_host({"IpcMode": "", "MemorySwappiness": -1, "OomScoreAdj": 0, "MemorySwap": -1})
    check_host({"IpcMode": "container:web", "PidMode": "host", "CgroupnsMode": "private"})
    check_host({"MemorySwappiness": None, "Runtime": "runc", "CpusetMems": "0,2-3"})
    check_host({"Isolation": "auto", "Runtime": "sandbox", "Memory": 2**25, "MemorySwap": 2**26})
