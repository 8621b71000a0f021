# SPDX-License-Identifier: MIT
"""``update``."""

from __future__ import annotations

from typing import Any

import click

from sandbox.cli.containers.arguments import CONTAINERS
from sandbox.cli.for_each import each
from sandbox.cli.idle_flags import UPDATE_OPTIONS, idle_fields
from sandbox.cli.open_engine import open_engine
from sandbox.cli.option_tables import options
from sandbox.errors import UsageError


@click.command(options_metavar="[OPTIONS]")
@click.option("--restart", "restart_policy", metavar="POLICY", help="Restart policy.")
@click.option(
    "-m",
    "--memory",
    metavar="BYTES",
    help="Memory limit; above it the container is killed. 0: no limit.",
)
@click.option("--cpus", type=float, metavar="N", help="Number of CPUs; 0: no limit.")
@click.option("--cpu-quota", type=int, metavar="MICROSECONDS", help="CPU time in each period.")
@click.option("--cpu-period", type=int, metavar="MICROSECONDS", help="Length of a period (100000).")
@click.option("--pids-limit", type=int, metavar="N", help="Limit of tasks; -1: no limit.")
@options(UPDATE_OPTIONS)
@CONTAINERS
def update(
    *,
    restart_policy: str | None,
    memory: str | None,
    cpus: float | None,
    cpu_quota: int | None,
    cpu_period: int | None,
    pids_limit: int | None,
    containers: tuple[str, ...],
    **idle: Any,
) -> int:
    """Change the restart policy and the limits of containers.

    The pids limit of a running container can change only if the container started with one.
    """
    from sandbox.cli.containers.lifecycle_flags import share_of
    from sandbox.models.policy import parse_memory, parse_restart

    changes: dict[str, Any] = {}
    if restart_policy is not None:
        changes["restart"], changes["restart_max"] = parse_restart(restart_policy)
    if memory is not None:
        changes["memory"] = parse_memory(memory)
    if cpus is not None or cpu_quota is not None:
        changes["cpus"] = share_of(cpus, cpu_quota, cpu_period)
    elif cpu_period is not None:
        raise UsageError("--cpu-period needs --cpu-quota")
    if pids_limit is not None:
        changes["pids_limit"] = max(0, pids_limit)
    asked = idle_fields(idle)
    if not changes and not asked:
        raise UsageError("you must provide one or more flags when using this command")
    engine = open_engine()
    return each(containers, lambda name: engine.containers.update(name, asked=asked, **changes))
