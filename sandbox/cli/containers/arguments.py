# SPDX-License-Identifier: MIT
"""Arguments and options that several commands about containers share."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_containers

CONTAINERS = click.argument(
    "containers",
    nargs=-1,
    required=True,
    metavar="CONTAINER...",
    shell_complete=complete_containers,
)

CONTAINER = click.argument("container", shell_complete=complete_containers)

DETACH_KEYS = click.option(
    "--detach-keys", metavar="KEYS", help="Keys that detach (ctrl-p,ctrl-q)."
)

SIG_PROXY = click.option("--sig-proxy/--no-sig-proxy", default=True, help="Forward signals (true).")
