# SPDX-License-Identifier: MIT
"""The flags of `run` and `update` about restarts, logs, health checks and limits.

Does not know: how a policy takes effect.
"""

from __future__ import annotations

import os
from typing import Any

from sandbox.errors import UsageError
from sandbox.models import policy
from sandbox.models.policy import Health, Policy

LIFE_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--restart",),
        {
            "metavar": "no|on-failure[:N]|always|unless-stopped",
            "default": "no",
            "help": "When to start it again (no).",
        },
    ),
    (
        ("--stop-timeout",),
        {"type": int, "metavar": "SECONDS", "help": "Time to end before it is killed (10)."},
    ),
    (
        ("--log-driver",),
        {
            "metavar": "json-file|none",
            "default": "json-file",
            "help": "Where output is kept (json-file).",
        },
    ),
    (
        ("--log-opt",),
        {"multiple": True, "metavar": "max-size=SIZE|max-file=N", "help": "How logs rotate."},
    ),
    (("--health-cmd",), {"metavar": "COMMAND", "help": "Command that says whether it is well."}),
    (("--health-interval",), {"metavar": "TIME", "help": "Time between two checks (30s)."}),
    (("--health-timeout",), {"metavar": "TIME", "help": "Longest time of a check (30s)."}),
    (("--health-retries",), {"type": int, "metavar": "N", "help": "Failures to be unhealthy (3)."}),
    (
        ("--health-start-period",),
        {"metavar": "TIME", "help": "Time to start, failures aside (0s)."},
    ),
    (("--health-start-interval",), {"metavar": "TIME", "help": "Time between checks then (5s)."}),
    (("--no-healthcheck",), {"is_flag": True, "help": "Do without the image's check."}),
    (("-m", "--memory"), {"metavar": "BYTES", "help": "Kill it when it uses more memory."}),
    (("--cpus",), {"type": float, "metavar": "N", "help": "How many CPUs' time it may use."}),
    (
        ("--cpu-quota",),
        {"type": int, "metavar": "MICROSECONDS", "help": "CPU time in each period; as --cpus."},
    ),
    (
        ("--cpu-period",),
        {"type": int, "metavar": "MICROSECONDS", "help": "Length of a period (100000)."},
    ),
    (("--pids-limit",), {"type": int, "metavar": "N", "help": "Most tasks at once; -1: no limit."}),
    (("--cpuset-cpus",), {"metavar": "LIST", "help": "CPUs it may use (0-3, 0,1)."}),
)


def policy_of(options: dict[str, Any], *, detached: bool) -> Policy:
    """Return the policy that the flags of `run` and `create` ask for."""
    restart, most = policy.parse_restart(options["restart"])
    if options["rm"] and restart != "no":
        raise UsageError("conflicting options: cannot specify both --restart and --rm")
    pairs = dict(_pair(text) for text in options["log_opt"])
    driver, size, count = policy.parse_log_options(options["log_driver"], pairs)
    timeout = options["stop_timeout"]
    return Policy(
        restart=restart,
        restart_max=most,
        stop_timeout=10 if timeout is None else timeout,
        stdin_once=not detached,
        log_driver=driver,
        log_max_size=size,
        log_max_file=count,
        health=_health(options),
        memory=policy.parse_memory(options["memory"]) if options["memory"] else 0,
        cpus=share_of(options["cpus"], options["cpu_quota"], options["cpu_period"]),
        pids_limit=max(0, options["pids_limit"] or 0),
        cpuset=check_cpus(options["cpuset_cpus"] or ""),
    )


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"invalid log opt '{text}': expected KEY=VALUE")
    return key, value


_TIMES = ("interval", "timeout", "start_period", "start_interval")


_SHORTEST = 10**6  # nanoseconds; Docker's bound


def _health(options: dict[str, Any]) -> Health | None:
    """Return the health check; without a command it changes the image's check."""
    given = {
        key: policy.parse_duration(options[f"health_{key}"])
        for key in _TIMES
        if options[f"health_{key}"]
    }
    for key, time in given.items():
        if 0 < time < _SHORTEST:
            raise UsageError(f"--health-{key.replace('_', '-')} cannot be less than 1ms")
    if options["health_retries"] is not None:
        given["retries"] = options["health_retries"]
        if given["retries"] < 0:
            raise UsageError("--health-retries cannot be negative")
    if options["no_healthcheck"]:
        if given or options["health_cmd"]:
            raise UsageError("--no-healthcheck conflicts with --health-* options")
        return Health(test=("NONE",))
    if options["health_cmd"]:
        return Health(test=("CMD-SHELL", options["health_cmd"]), **given)
    return Health(test=(), **given) if given else None


def share_of(cpus: float | None, quota: int | None, period: int | None) -> float:
    """Return the number of CPUs (0: no limit) from one of Docker's two notations."""
    if cpus and (quota or period):
        raise UsageError("conflicting options: Nano CPUs and CPU Period cannot both be set")
    if period and not 1000 <= period <= 1_000_000:
        raise UsageError(
            "CPU cfs period can not be less than 1ms (1000) or larger than 1s (1000000)"
        )
    if quota and quota > 0:
        if quota < 1000:
            raise UsageError("CPU cfs quota can not be less than 1ms (1000)")
        return check_share(quota / (period or 100_000))
    return check_share(cpus)


def check_share(cpus: float | None) -> float:
    """Return the number of CPUs (0: no limit) if this machine has as many."""
    most = os.cpu_count() or 1
    if cpus and not 0.01 <= cpus <= most:
        raise UsageError(
            f"range of CPUs is from 0.01 to {most:.2f}, as there are only {most} CPUs available"
        )
    return cpus or 0.0


def check_cpus(text: str) -> str:
    """Return *text* unchanged if it is a valid list of CPUs."""
    if text:
        from sandbox.runtime.limits.usage import parse_cpus

        parse_cpus(text)
    return text
