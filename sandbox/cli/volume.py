# SPDX-License-Identifier: MIT
"""``volume``: directories that outlive containers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.for_each import each
from sandbox.cli.lazy_group import Verbs
from sandbox.cli.open_engine import open_engine
from sandbox.cli.output.format import Column, emit, human_size, render, render_objects
from sandbox.errors import UsageError
from sandbox.runtime import spec

if TYPE_CHECKING:
    from sandbox.models.volume import Volume

_COLUMNS = (Column("DRIVER", "Driver"), Column("VOLUME NAME", "Name"))
_MORE = {
    "Mountpoint": "MOUNTPOINT",
    "Scope": "SCOPE",
    "Labels": "LABELS",
    "Label": lambda _name: "LABEL",
    "Links": "LINKS",
    "Size": "SIZE",
}
_HEADINGS = {**{column.field: column.heading for column in _COLUMNS}, **_MORE}
_NAMES = click.argument("names", nargs=-1, required=True, metavar="VOLUME...")


@click.command(cls=Verbs)
def volume() -> None:
    """Manage volumes."""


@volume.command(options_metavar="[OPTIONS]")
@click.option("--label", multiple=True, metavar="KEY[=VALUE]", help="Attach a label.")
@click.option("-d", "--driver", metavar="DRIVER", default="local", help="Only 'local' exists.")
@click.argument("name", required=False, default="")
def create(*, label: tuple[str, ...], driver: str, name: str) -> None:
    """Make a volume and print its name."""
    if driver != "local":
        raise UsageError(f"error looking up volume plugin {driver}: plugin not found")
    emit(open_engine().volumes.create(name, spec.parse_labels(label)).name)


@volume.command("ls", options_metavar="[OPTIONS]")
@click.option("-q", "--quiet", is_flag=True, help="Print only names.")
@filter_option("name, label, driver, dangling")
@click.option("--format", "template", metavar="TEMPLATE", help="'json', 'table' or a Go template.")
def list_(*, quiet: bool, filters: tuple[str, ...], template: str | None) -> None:
    """List volumes."""
    engine = open_engine()
    chosen = engine.volumes.list(filters)
    if quiet:
        for item in chosen:
            emit(item.name)
        return
    rows = [_row(item) for item in chosen]
    text = render(rows, _COLUMNS, template=template, headings=_HEADINGS)
    if text:
        emit(text)


def _row(item: Volume) -> dict[str, Any]:
    return {
        "Driver": "local",
        "Name": item.name,
        "Mountpoint": item.data,
        "Scope": "local",
        "Labels": ",".join(f"{key}={value}" for key, value in item.labels.items()),
        "Label": lambda key: item.labels.get(key, ""),
        **dict.fromkeys(("Availability", "Group", "Links", "Size", "Status"), "N/A"),
    }


@volume.command(options_metavar="[OPTIONS]")
@click.option("-f", "--format", "template", metavar="TEMPLATE", help="A Go template.")
@_NAMES
def inspect(*, template: str | None, names: tuple[str, ...]) -> None:
    """Show details of volumes, as JSON."""
    from sandbox.cli.inspect import as_go

    engine = open_engine()
    shown = [engine.volumes.inspect(name) for name in names]
    items = shown if template in (None, "json") else [as_go(item) for item in shown]
    emit(render_objects(items, template))


@volume.command("rm", options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Ignore missing ones.")
@_NAMES
def remove(*, force: bool, names: tuple[str, ...]) -> int:
    """Remove unused volumes with their files."""
    engine = open_engine()
    return each(names, lambda name: engine.volumes.remove(name, force=force))


@volume.command(options_metavar="[OPTIONS]")
@click.option("-a", "--all", "everything", is_flag=True, help="Include named volumes.")
@click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
@filter_option("label, label!", short=False)
def prune(*, everything: bool, force: bool, filters: tuple[str, ...]) -> None:
    """Remove unused anonymous volumes."""
    from sandbox.cli.confirm import agrees

    kind = "all" if everything else "anonymous"
    warning = f"WARNING! This will remove {kind} local volumes not used by at least one container."
    if not agrees(warning, force=force):
        return
    pruned = open_engine().volumes.prune(everything=everything, filters=filters)
    if pruned.volumes:
        emit("Deleted Volumes:\n" + "\n".join(pruned.volumes) + "\n")
    emit(f"Total reclaimed space: {human_size(pruned.freed, 4)}")
