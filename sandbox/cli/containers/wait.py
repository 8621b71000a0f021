# SPDX-License-Identifier: MIT
"""``wait``."""

from __future__ import annotations

import click

from sandbox.cli.containers.arguments import CONTAINERS
from sandbox.cli.for_each import each
from sandbox.cli.open_engine import open_engine


@click.command()
@CONTAINERS
def wait(*, containers: tuple[str, ...]) -> int:
    """Wait until containers end and print their exit codes."""
    return each(containers, open_engine().containers.wait)
