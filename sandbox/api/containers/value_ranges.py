# SPDX-License-Identifier: MIT
"""Refuse values of a HostConfig that Docker refuses, even where they have no effect here.

Rules: pure. Inspect shows a value in its range; the client gets a warning where a program
could miss its effect (`create_request`).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.api.errors import BadRequest
from sandbox.runtime import interceptor

_LIST = re.compile(r"\d+(-\d+)?(,\d+(-\d+)?)*", re.ASCII)
_MIN_RESERVATION = 6 * 2**20
_RUNTIMES = ("", "sandbox", "runc", "io.containerd.runc.v2")
# (field, its name in messages, allowed words, whether it may name a container)
_MODES = (
    ("IpcMode", "IPC", ("", "none", "private", "shareable", "host"), True),
    ("PidMode", "PID", ("", "host"), True),
    ("UTSMode", "UTS", ("", "host"), False),
    ("UsernsMode", "userns", ("", "host"), False),
    ("CgroupnsMode", "cgroup namespace", ("", "private", "host"), False),
)


def check_host(host: dict[str, Any], *, is_update: bool = False) -> None:
    """Raise `BadRequest` in Docker's words if a value is out of its range.

    An update may omit the memory limit that other limits depend on.

    >>> check_host({"PidMode": "host", "ShmSize": 0, "Annotations": {"a": "b"}})
    >>> check_host({"PidMode": "container"})
    Traceback (most recent call last):
    ...
    sandbox.api.errors.BadRequest: invalid PID mode: container
    """
    for name, title, words, may_join in _MODES:
        mode = host.get(name) or ""
        kind, _, other = str(mode).partition(":")
        if mode not in words and not (may_join and kind == "container" and other):
            raise BadRequest(f"invalid {title} mode: {mode}")
    if "" in (host.get("Annotations") or {}):
        raise BadRequest(
            "invalid Annotations: the empty string is not permitted as an annotation key"
        )
    if (host.get("Runtime") or "") not in _RUNTIMES:
        raise BadRequest(f"unknown or invalid runtime name: {host['Runtime']}")
    # Clients may send again what inspect shows.
    if (host.get("Isolation") or "default") not in ("default", *interceptor.NAMES):
        raise BadRequest(f"invalid isolation '{host['Isolation']}' on linux")
    _check_numbers(host)
    _check_memory(host, is_update=is_update)


def _number(host: dict[str, Any], name: str) -> int:
    value = host.get(name) or 0
    if not isinstance(value, int):
        raise BadRequest(f"invalid JSON: HostConfig.{name} is no number")
    return value


def _check_numbers(host: dict[str, Any]) -> None:
    if _number(host, "ShmSize") < 0:
        raise BadRequest("SHM size can not be less than 0")
    score = _number(host, "OomScoreAdj")
    if not -1000 <= score <= 1000:
        raise BadRequest(f"invalid value {score}, range for oom score adj is [-1000, 1000]")
    shares = _number(host, "CpuShares")
    if shares < 0:
        raise BadRequest(f"invalid CPU shares ({shares}): value must be a positive integer")
    weight = _number(host, "BlkioWeight")
    if weight and not 10 <= weight <= 1000:
        raise BadRequest("Range of blkio weight is from 10 to 1000")
    nodes = str(host.get("CpusetMems") or "")
    if nodes and not _LIST.fullmatch(nodes):
        raise BadRequest(f"Invalid value {nodes} for cpuset mems")


def _check_memory(host: dict[str, Any], *, is_update: bool) -> None:
    memory, swap = _number(host, "Memory"), _number(host, "MemorySwap")
    reserved = _number(host, "MemoryReservation")
    if swap > 0 and not memory and not is_update:
        raise BadRequest("You should always set the Memory limit when using Memoryswap limit")
    if 0 < swap < memory:
        raise BadRequest("Minimum memoryswap limit should be larger than memory limit")
    swappiness = host.get("MemorySwappiness")
    if swappiness is not None and not -1 <= _number(host, "MemorySwappiness") <= 100:
        raise BadRequest(f"Invalid value: {swappiness}, valid memory swappiness range is 0-100")
    if 0 < reserved < _MIN_RESERVATION:
        raise BadRequest("Minimum memory reservation allowed is 6MB")
    if 0 < memory < reserved:
        raise BadRequest("Minimum memory limit can not be less than memory reservation limit")
