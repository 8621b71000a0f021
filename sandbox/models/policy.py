# SPDX-License-Identifier: MIT
"""The user's decisions about how a container runs: restarts, logs, limits, health checks.

Rules: frozen and typed. A record of an older version lacks fields, which get defaults.

Must not know: which code enforces them.
"""

from __future__ import annotations

from typing import Any, Literal

from sandbox.errors import UsageError
from sandbox.models.record import Record, field, plain

RestartName = Literal["no", "on-failure", "always", "unless-stopped"]
LogDriver = Literal["json-file", "none"]

_RESTARTS: dict[str, RestartName] = {
    "no": "no",
    "": "no",
    "on-failure": "on-failure",
    "always": "always",
    "unless-stopped": "unless-stopped",
}
SECOND = 10**9


class Health(Record, frozen=True, kw_only=True):
    """A health check; times are in nanoseconds."""

    test: tuple[str, ...]
    interval: int = 30 * SECOND
    timeout: int = 30 * SECOND
    start_period: int = 0
    start_interval: int = 5 * SECOND
    retries: int = 3

    @property
    def argv(self) -> tuple[str, ...]:
        """Return the command line of the check; empty if there is no check."""
        kind = self.test[0] if self.test else "NONE"
        if kind == "CMD":
            return self.test[1:]
        if kind == "CMD-SHELL":
            return ("/bin/sh", "-c", *self.test[1:])
        return ()


class Policy(Record, frozen=True, kw_only=True):
    """The settings of a container that concern its life, not its files.

    0 and "" mean no limit. Memory is in bytes.
    """

    restart: RestartName = "no"
    restart_max: int = 0
    stop_timeout: int = 10
    stdin_once: bool = True
    log_driver: LogDriver = "json-file"
    log_max_size: int = 0
    log_max_file: int = 1
    health: Health | None = None
    pids_limit: int = 0
    memory: int = 0
    cpus: float = 0.0
    cpuset: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return plain(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Policy:
        """Return the record in JSON."""
        given = {key: value for key, value in data.items() if key in cls.__struct_fields__}
        health = given.get("health")
        if health is not None:
            given["health"] = Health(**{**health, "test": tuple(health["test"])})
        return cls(**given)


class Usage(Record, frozen=True, kw_only=True):
    """The resources that a run used, in seconds and bytes."""

    user: float = 0.0
    system: float = 0.0
    wall: float = 0.0
    max_rss: int = 0
    minor_faults: int = 0
    major_faults: int = 0
    read: int = 0
    written: int = 0


class HealthState(Record, frozen=True, kw_only=True):
    """The results of recent health checks; *log* is oldest first."""

    status: str = "starting"
    failing_streak: int = 0
    log: tuple[dict[str, Any], ...] = field(default_factory=tuple)


def parse_restart(text: str) -> tuple[RestartName, int]:
    """Return (name, maximum number of restarts) for ``--restart``; 0 means no maximum.

    >>> parse_restart("on-failure:3"), parse_restart("always")
    (('on-failure', 3), ('always', 0))
    """
    name, colon, count = text.partition(":")
    if name not in _RESTARTS:
        raise UsageError(f"invalid restart policy: unknown policy '{name}'")
    if not colon:
        return _RESTARTS[name], 0
    if name != "on-failure":
        raise UsageError(
            "invalid restart policy: maximum retry count can only be used with 'on-failure'"
        )
    if not count.isdecimal():
        raise UsageError("invalid restart policy format: maximum retry count must be an integer")
    return _RESTARTS[name], int(count)


def parse_log_options(driver: str, options: dict[str, str]) -> tuple[LogDriver, int, int]:
    """Return (driver, maximum size of a file in bytes or 0, number of files)."""
    if driver not in ("json-file", "none"):
        raise UsageError(f"logger: no log driver named '{driver}' is registered")
    for name in options:
        if name not in ("max-size", "max-file") or driver == "none":
            raise UsageError(f"unknown log opt '{name}' for {driver} log driver")
    size = parse_bytes(options["max-size"]) if "max-size" in options else 0
    count = options.get("max-file", "1")
    if not count.isdecimal() or int(count) < 1:
        raise UsageError("max-file cannot be less than 1")
    return ("none" if driver == "none" else "json-file"), size, int(count)


def parse_bytes(text: str) -> int:
    """Return a size such as 10m, 512K, 2g or 100 in bytes. Raises UsageError.

    >>> parse_bytes("10m"), parse_bytes("1.5k"), parse_bytes("2GiB")
    (10485760, 1536, 2147483648)
    """
    lowered = text.strip().lower()
    digits = lowered.rstrip("bkmgtip")
    unit = lowered[len(digits) :].strip()
    units = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
    try:
        power = units[unit.removesuffix("ib") if len(unit) > 1 else unit]
    except KeyError:
        power = units.get(unit.removesuffix("b"), -1)
    try:
        value = float(digits)
    except ValueError:
        power = -1
    if power < 0 or not 0 <= value < float("inf"):
        raise UsageError(f"invalid size: '{text}'")
    return int(value * 1024**power)


_LEAST_MEMORY = 6 * 2**20  # bytes; Docker's minimum


def check_memory(limit: int) -> int:
    """Return *limit* (bytes, 0 for none). Raises UsageError if it is too small."""
    if 0 < limit < _LEAST_MEMORY:
        raise UsageError("Minimum memory limit allowed is 6MB")
    return limit


def parse_memory(text: str) -> int:
    """Return a memory limit in bytes; the same rules as in `check_memory`.

    >>> parse_memory("64m"), parse_memory("0")
    (67108864, 0)
    """
    return check_memory(parse_bytes(text))


_DURATION_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
}


def parse_duration(text: str) -> int:
    """Return a duration in Go's format in nanoseconds. Raises UsageError.

    >>> parse_duration("1m30s"), parse_duration("500ms")
    (90000000000, 500000000)
    """
    import re

    parts = re.findall(r"([0-9]*\.?[0-9]+)(ns|us|µs|ms|s|m|h)", text)
    if text == "0":
        return 0
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"invalid duration: '{text}'")
    return int(sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts))
