# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import UsageError
from sandbox.models.idle_settings import BY_FIELD, ON_CREATE, ON_UPDATE, SHARES, parse


@pytest.mark.parametrize(
    ("field", "given", "wanted"),
    [
        ("CpuShares", "512", 512),
        ("MemorySwap", "-1", -1),
        ("MemorySwap", "1g", 1 << 30),
        ("OomKillDisable", True, True),
        ("OomKillDisable", False, None),
        ("Runtime", "runc", "runc"),
        ("StorageOpt", ("size=1G",), {"size": "1G"}),
        ("DeviceCgroupRules", ("c 1:3 rw",), ["c 1:3 rw"]),
        ("BlkioWeightDevice", ("/dev/sda:20",), [{"Path": "/dev/sda", "Weight": 20}]),
        ("BlkioDeviceReadIOps", ("/dev/sda:20",), [{"Path": "/dev/sda", "Rate": 20}]),
        ("BlkioDeviceWriteBps", ("/dev/sda:1m",), [{"Path": "/dev/sda", "Rate": 1 << 20}]),
        ("Sysctls", (), None),
    ],
)
def test_a_value_is_as_the_api_has_it(field: str, given: object, wanted: object) -> None:
    assert parse(BY_FIELD[field], given) == wanted


@pytest.mark.parametrize(
    ("field", "given"),
    [("CpuShares", "x"), ("Sysctls", ("a",)), ("BlkioDeviceReadIOps", ("/dev/sda:x",))],
)
def test_a_wrong_value_is_refused(field: str, given: object) -> None:
    with pytest.raises(UsageError, match="invalid argument"):
        parse(BY_FIELD[field], given)


def test_every_flag_and_field_is_there_once_with_a_reason() -> None:
    items = (SHARES, *ON_CREATE)
    assert len({item.flag for item in items}) == len({item.field for item in items}) == len(items)
    assert set(ON_UPDATE) <= set(ON_CREATE)
    assert all(item.reason and item.warning.startswith(item.flag) for item in items)
