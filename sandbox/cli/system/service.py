# SPDX-License-Identifier: MIT
"""``system start`` and ``system service-unit``."""

from __future__ import annotations

import click

from sandbox.cli.output.format import emit


@click.command("start")
def system_start() -> int:
    """Start the containers whose restart policy demands it."""
    from sandbox.engine import Engine

    started, problems = Engine().system.start()
    for name in started:
        emit(name)
    for problem in problems:
        click.echo(f"sandbox: {problem.message}", err=True)
    return 1 if problems else 0


@click.command("service-unit")
def service_unit() -> None:
    """Print a systemd user unit that runs 'sandbox system start'."""
    from sandbox.engine.system.service import service_unit as unit

    emit(unit().rstrip("\n"))
