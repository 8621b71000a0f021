# SPDX-License-Identifier: MIT
"""``export``."""

from __future__ import annotations

import sys

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.whole_file import whole_file
from sandbox.engine import Engine
from sandbox.errors import UsageError


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Write here instead of standard output.")
@click.argument("container", shell_complete=complete_containers)
def export(*, output: str | None, container: str) -> None:
    """Write a container's files as a tar archive."""
    if output is None and sys.stdout.isatty():
        raise UsageError(
            "refusing to write a tar archive to a terminal: use the -o flag or redirect"
        )
    with whole_file(output) as write:
        Engine().containers.export(container, write)
