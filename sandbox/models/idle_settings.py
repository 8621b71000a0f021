# SPDX-License-Identifier: MIT
"""Settings of Docker that are taken and have no effect here, each with the reason. Pure.

Rules: such a setting asks for less than a container has, or for nothing. What would promise an
isolation that is not there is no such setting.

Must not know: who is warned.
"""

from __future__ import annotations

from typing import Any

from sandbox.errors import UsageError
from sandbox.models.policy import parse_bytes
from sandbox.models.record import Record

_RATE = "transfers of devices are not limited"
_SWAP = "swap is not counted; --memory watches resident memory"


class Idle(Record, frozen=True):
    """One setting: its flag, its field in the API's HostConfig, and the form of its value.

    *kind* is "number", "bytes", "text", "switch", "pairs" (KEY=VALUE, several), "lines" (several),
    "rates" (PATH:NUMBER, several) or "sizes" (PATH:BYTES, several).
    """

    flag: str
    field: str
    kind: str
    reason: str
    metavar: str = "N"

    @property
    def is_repeated(self) -> bool:
        """Tell whether the flag may be given several times."""
        return self.kind in ("pairs", "lines", "rates", "sizes")

    @property
    def warning(self) -> str:
        """Return the line that the user gets."""
        return f"{self.flag} has no effect: {self.reason}"


SHARES = Idle("--cpu-shares", "CpuShares", "number", "CPU time has no shares; use --cpus")
ON_UPDATE = (
    Idle("--blkio-weight", "BlkioWeight", "number", _RATE),
    Idle("--cpuset-mems", "CpusetMems", "text", "memory is not bound to nodes", "NODES"),
    Idle("--memory-reservation", "MemoryReservation", "bytes", "use --memory", "BYTES"),
    Idle("--memory-swap", "MemorySwap", "bytes", _SWAP, "BYTES"),
)
ON_CREATE = (
    *ON_UPDATE,
    Idle("--blkio-weight-device", "BlkioWeightDevice", "rates", _RATE, "DEVICE:N"),
    Idle(
        "--device-cgroup-rule",
        "DeviceCgroupRules",
        "lines",
        "the machine decides who opens a device",
        "RULE",
    ),
    Idle("--device-read-bps", "BlkioDeviceReadBps", "sizes", _RATE, "DEVICE:BYTES"),
    Idle("--device-read-iops", "BlkioDeviceReadIOps", "rates", _RATE, "DEVICE:N"),
    Idle("--device-write-bps", "BlkioDeviceWriteBps", "sizes", _RATE, "DEVICE:BYTES"),
    Idle("--device-write-iops", "BlkioDeviceWriteIOps", "rates", _RATE, "DEVICE:N"),
    Idle("--kernel-memory", "KernelMemory", "bytes", "the kernel's is not limited", "BYTES"),
    Idle("--memory-swappiness", "MemorySwappiness", "number", _SWAP),
    Idle("--oom-kill-disable", "OomKillDisable", "switch", "what crosses --memory is killed"),
    Idle("--oom-score-adj", "OomScoreAdj", "number", "it is not adjusted"),
    Idle("--runtime", "Runtime", "text", "there is one runtime", "NAME"),
    Idle("--storage-opt", "StorageOpt", "pairs", "the size is not limited", "KEY=VALUE"),
    Idle("--sysctl", "Sysctls", "pairs", "these are the machine's", "KEY=VALUE"),
)
BY_FIELD = {item.field: item for item in (SHARES, *ON_CREATE)}


def parse(item: Idle, value: Any) -> Any:
    """Return the value of a flag as the API has it. Raises `UsageError`.

    >>> parse(SHARES, "5"), parse(BY_FIELD["Sysctls"], ("a.b=1",)), parse(SHARES, None)
    (5, {'a.b': '1'}, None)
    >>> parse(BY_FIELD["BlkioDeviceReadBps"], ("/dev/sda:1k",))
    [{'Path': '/dev/sda', 'Rate': 1024}]
    """
    if value in (None, (), False, ""):
        return None
    match item.kind:
        case "number":
            return _number(item, value)
        case "bytes":
            return -1 if value == "-1" else parse_bytes(value)
        case "pairs":
            return dict(_pair(item, text, "=") for text in value)
        case "lines":
            return list(value)
        case "rates" | "sizes":
            rows = [_pair(item, text, ":") for text in value]
            name = "Weight" if item.field == "BlkioWeightDevice" else "Rate"
            read = parse_bytes if item.kind == "sizes" else lambda text: _number(item, text)
            return [{"Path": path, name: read(text)} for path, text in rows]
        case _:
            return value


def _number(item: Idle, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UsageError(
            f'invalid argument "{text}" for "{item.flag}" flag: '
            f'strconv.ParseInt: parsing "{text}": invalid syntax'
        ) from None


def _pair(item: Idle, text: str, mark: str) -> tuple[str, str]:
    key, found, value = text.partition(mark)
    if not key or not found:
        raise UsageError(f'invalid argument "{text}" for "{item.flag}" flag: {item.metavar}')
    return key, value
