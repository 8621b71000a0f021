# SPDX-License-Identifier: MIT
"""``port``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import emit
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from sandbox.models.ports import Published


def _in_order(row: Published) -> tuple[str, int, str, int]:
    return str(row.port), row.host_ip.count(":"), row.host_ip, row.host_port


@click.command()
@click.argument("container", shell_complete=complete_containers)
@click.argument("private_port", required=False)
def port(*, container: str, private_port: str | None) -> int:
    """Show the published ports of a container."""
    from sandbox.engine import Engine

    engine = Engine()
    found = engine.containers.get(container)
    member = engine.networks.memberships().get(found.config.id) if found.state.is_running else None
    rows = sorted(member.published, key=_in_order) if member else []
    if private_port is None:
        for row in rows:
            emit(f"{row.port} -> {row.place}")
        return 0
    wanted = private_port if "/" in private_port else f"{private_port}/tcp"
    number, _, protocol = wanted.partition("/")
    if not number.isdecimal() or protocol not in ("tcp", "udp"):
        raise UsageError(f"invalid port: {private_port}")
    chosen = [row for row in rows if str(row.port) == wanted]
    for row in chosen:
        emit(row.place)
    if not chosen:
        text = f"no public port '{wanted}' published for {container}"
        click.echo(f"sandbox: {text}", err=True)
    return 0 if chosen else 1
