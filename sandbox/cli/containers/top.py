# SPDX-License-Identifier: MIT
"""``top``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import emit, table

_SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["--help"]}


@click.command(context_settings=_SETTINGS)
@click.argument("container", shell_complete=complete_containers)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[ps OPTIONS]")
def top(*, container: str, options: tuple[str, ...]) -> None:
    """Show the processes of a container.

    The user column shows the machine's user, you, for every process. Options are passed
    to the machine's own ps, whose output must have a column PID.
    """
    from sandbox.engine import Engine

    headings, rows = Engine().containers.top(container, options)
    emit(table(headings, rows, least=20))
