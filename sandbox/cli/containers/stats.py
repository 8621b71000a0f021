# SPDX-License-Identifier: MIT
"""``stats``."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import Column, emit, human_size, render
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.engine import Engine
    from sandbox.engine.containers.stats import Sample
    from sandbox.models.container import Container

_COLUMNS = (
    Column("CONTAINER ID", "ID"),
    Column("NAME", "Name"),
    Column("CPU %", "CPUPerc"),
    Column("MEM USAGE / LIMIT", "MemUsage"),
    Column("MEM %", "MemPerc"),
    Column("NET I/O", "NetIO"),
    Column("BLOCK I/O", "BlockIO"),
    Column("PIDS", "PIDs"),
)
_HEADINGS = {
    **{column.field: column.heading for column in _COLUMNS},
    "Container": "CONTAINER",
}
_PERIOD = 1.0
_CLEAR = "\x1b[H\x1b[J"


@click.command(options_metavar="[OPTIONS]")
@click.option("-a", "--all", "show_all", is_flag=True, help="Include stopped containers.")
@click.option("--no-stream", is_flag=True, help="Measure once and exit.")
@click.option("--no-trunc", is_flag=True, help="Do not shorten ids.")
@click.option("--format", "template", metavar="TEMPLATE", help="'json', 'table' or a Go template.")
@click.argument("names", nargs=-1, metavar="[CONTAINER...]", shell_complete=complete_containers)
def stats(
    *,
    show_all: bool,
    no_stream: bool,
    no_trunc: bool,
    template: str | None,
    names: tuple[str, ...],
) -> None:
    """Show the resource use of containers: CPU, memory without shared pages, I/O, processes.

    Network traffic is not counted.
    """
    from sandbox.engine import Engine

    engine = Engine()
    before: dict[str, Sample] = {}
    while True:
        chosen = [engine.containers.get(name) for name in names] or [
            item for item in engine.containers.list() if show_all or item.state.is_running
        ]
        if not before:
            before = _samples(engine, chosen)
            time.sleep(_PERIOD)
        after = _samples(engine, chosen)
        rows = [_row(item, before, after, long=no_trunc) for item in chosen]
        text = render(rows, _COLUMNS, template=template, headings=_HEADINGS)
        if not no_stream and os.isatty(1):
            sys.stdout.write(_CLEAR)
        emit(text)
        sys.stdout.flush()
        if no_stream:
            return
        before = after
        time.sleep(_PERIOD)


def _samples(engine: Engine, containers: list[Container]) -> dict[str, Sample]:
    found = {}
    for item in containers:
        try:
            found[item.config.id] = engine.containers.stats(item.config.id)
        except SandboxError:
            continue
    return found


def _row(
    container: Container, before: dict[str, Sample], after: dict[str, Sample], *, long: bool
) -> dict[str, Any]:
    config = container.config
    now = after.get(config.id)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = config.policy.memory or total
    shown = {"ID": config.id if long else config.short_id, "Name": config.name}
    shown["Container"] = shown["ID"]
    if now is None:
        empty = {"CPUPerc": "0.00%", "MemUsage": "0B / 0B", "MemPerc": "0.00%"}
        return {**shown, **empty, "NetIO": "--", "BlockIO": "0B / 0B", "PIDs": "0"}
    earlier = before.get(config.id, now)
    passed = now.moment - earlier.moment
    share = max(0.0, now.cpu - earlier.cpu) / passed * 100 if passed else 0.0
    return {
        **shown,
        "CPUPerc": f"{share:.2f}%",
        "MemUsage": f"{_binary(now.memory)} / {_binary(limit)}",
        "MemPerc": f"{now.memory / limit * 100:.2f}%",
        "NetIO": "--",
        "BlockIO": f"{human_size(now.read)} / {human_size(now.written)}",
        "PIDs": str(now.pids),
    }


def _binary(size: float) -> str:
    """Return a size in binary units, in Docker's format for memory.

    >>> _binary(1536), _binary(10 * 2**20)
    ('1.5KiB', '10MiB')
    """
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    unit = 0
    while size >= 1024 and unit < len(units) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.4g}{units[unit]}"
