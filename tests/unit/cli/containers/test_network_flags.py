# SPDX-License-Identifier: MIT
"""The flags about the network."""

from __future__ import annotations

import os
from typing import Any

import pytest

from sandbox.cli.containers.network_flags import network_of
from sandbox.errors import UsageError

NONE: dict[str, Any] = {
    "network": (), "network_alias": (), "ip": None, "mac_address": None, "link": (), "expose": (),
    "hostname": None, "publish": (), "publish_all": False, "dns": (), "dns_search": (),
    "dns_option": (), "add_host": (), "allow_host": (), "network_log": None,
}  # fmt: skip


def flags(**options: Any) -> Any:
    return network_of(NONE | options)


def test_each_publication_is_read() -> None:
    found = flags(publish=("127.0.0.1:8080:80", "53/udp")).config.publications
    assert [(str(item.port), item.host_ip, item.first) for item in found] == [
        ("80/tcp", "127.0.0.1", 8080),
        ("53/udp", "", 0),
    ]


def test_a_log_is_where_the_user_stands() -> None:
    assert flags(network_log="x/log").config.log == os.path.abspath("x/log")
    assert flags().config.log == ""


@pytest.mark.parametrize("mode", ["host", "none"])
def test_ports_that_a_network_cannot_publish_are_warned_of(
    capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    flags(network=(mode,), publish=("80",))
    assert f"discarded when using {mode} network" in capsys.readouterr().err
    flags(network=(mode,))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "options",
    [
        {"publish": ("x",)},
        {"expose": ("x",)},
        {"dns": ("nope",)},
        {"ip": "1.2.3"},
        {"mac_address": "x"},
        {"add_host": ("x",)},
        {"allow_host": ("",)},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_flag_that_makes_no_sense_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        flags(**options)
