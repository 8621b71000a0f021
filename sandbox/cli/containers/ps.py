# SPDX-License-Identifier: MIT
"""``ps``."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.output.format import (
    Column,
    ellipsis,
    emit,
    human_size,
    render,
)
from sandbox.engine import Engine
from sandbox.engine.containers.network_settings import networks_text, ports_text
from sandbox.models.filters import status_text
from sandbox.models.timestamps import human_duration, seconds_since

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.models.container import Container
    from sandbox.runtime.network.members import Member

_COLUMNS = (
    Column("CONTAINER ID", "ID"),
    Column("IMAGE", "Image"),
    Column("COMMAND", "Command"),
    Column("CREATED", "RunningFor"),
    Column("STATUS", "Status"),
    Column("PORTS", "Ports"),
    Column("NAMES", "Names"),
)
_SIZE_COLUMN = Column("SIZE", "Size")
_HEADINGS = {
    **{column.field: column.heading for column in (*_COLUMNS, _SIZE_COLUMN)},
    "CreatedAt": "CREATED AT",
    "State": "STATE",
    "Labels": "LABELS",
    "Mounts": "MOUNTS",
    "Networks": "NETWORKS",
    "LocalVolumes": "LOCAL VOLUMES",
    "Label": lambda _name: "LABEL",
}


@click.command()
@click.option("-a", "--all", "show_all", is_flag=True, help="Include stopped containers.")
@click.option("-q", "--quiet", is_flag=True, help="Print only ids.")
@click.option("-n", "--last", type=int, metavar="N", default=-1, help="Show the last N created.")
@click.option("-l", "--latest", is_flag=True, help="Show the latest created.")
@click.option("--no-trunc", is_flag=True, help="Do not shorten ids and commands.")
@click.option("-s", "--size", is_flag=True, help="Show sizes.")
@filter_option(
    "ancestor, before, exited, expose, health, id, label, name, "
    "network, publish, since, status, volume"
)
@click.option(
    "--format",
    "template",
    metavar="TEMPLATE",
    help="'table', 'table TEMPLATE', 'json' or a Go template.",
)
def ps(**options: Any) -> None:
    """List running containers; all containers with -a."""
    engine = Engine()
    last = 1 if options["latest"] else options["last"]
    by_status = any(item.startswith("status=") for item in options["filters"])
    everything = options["show_all"] or last > 0 or by_status
    matches = engine.containers.parse_filters(options["filters"])
    present = engine.containers.list()
    chosen = [item for item in present if (everything or item.state.is_running) and matches(item)]
    if last > 0:
        chosen = chosen[:last]
    for identity, problem in engine.containers.damaged({item.config.id for item in present}):
        click.echo(
            f"sandbox: container {identity[:12]} is damaged: {problem}; "
            f"'sandbox rm -f {identity[:12]}' removes it",
            err=True,
        )
    long = options["no_trunc"]
    if options["quiet"]:
        for item in chosen:
            emit(item.config.id if long else item.config.short_id)
        return
    wants_size = options["size"] or ".Size" in (options["template"] or "")
    members = engine.networks.memberships()
    rows = [
        describe(
            item,
            members,
            long=long,
            size=engine.containers.layer_size(item) if wants_size else 0,
        )
        for item in chosen
    ]
    columns = (*_COLUMNS, _SIZE_COLUMN) if options["size"] else _COLUMNS
    text = render(rows, columns, template=options["template"], headings=_HEADINGS)
    if text:
        emit(text)


def describe(
    container: Container, members: Mapping[str, Member], *, long: bool, size: int
) -> dict[str, Any]:
    """Return the fields of ``ps --format``; all are text."""
    config = container.config
    command = " ".join(config.args)
    labels = config.labels
    age = human_duration(seconds_since(config.created, time.time()))
    return {
        "Command": f'"{command if long else ellipsis(command, 20)}"',
        "CreatedAt": config.created[:19].replace("T", " ") + " +0000 UTC",
        "ID": config.id if long else config.short_id,
        "Image": config.image,
        "Labels": ",".join(f"{key}={value}" for key, value in labels.items()),
        "LocalVolumes": str(sum(mount.type == "volume" for mount in config.mounts)),
        "Mounts": ",".join(
            (mount.name or mount.source) if long else ellipsis(mount.name or mount.source, 15)
            for mount in config.mounts
            if mount.type != "tmpfs"
        ),
        "Names": config.name,
        "Networks": networks_text(container),
        "Ports": ports_text(container, members),
        "RunningFor": f"{age} ago",
        "Size": human_size(size),
        "State": container.state.status,
        "Status": status_text(container, time.time()),
        "Label": lambda key: labels.get(key, ""),
    }
