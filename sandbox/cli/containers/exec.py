# SPDX-License-Identifier: MIT
"""``exec``, as click shows and parses it.

Does not know: what it does (`exec_command`).
"""

from __future__ import annotations

from typing import Any

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.containers.exec_command import EXEC_OPTIONS
from sandbox.cli.option_tables import SETTINGS, options


@click.command("exec", context_settings=SETTINGS, options_metavar="[OPTIONS]")
@options(EXEC_OPTIONS)
@click.argument("container", shell_complete=complete_containers)
@click.argument("args", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARG...]")
def exec_(**options: Any) -> int:
    """Run a command in a running container.

    The exit code is the command's own; 126 if it is not executable, 127 if it was not
    found, 128+N after signal N; 1 after the detach keys, while the command continues.
    """
    from sandbox.cli.containers import exec_command

    return exec_command.exec_(options)
