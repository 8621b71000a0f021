# SPDX-License-Identifier: MIT
"""``diff``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import (
    emit,
    visible,
)
from sandbox.engine import Engine


@click.command()
@click.argument("container", shell_complete=complete_containers)
def diff(*, container: str) -> None:
    """Show the files that a container changed: A added, C changed, D deleted."""
    for kind, path in Engine().containers.diff(container):
        emit(f"{kind} {visible(path)}")
