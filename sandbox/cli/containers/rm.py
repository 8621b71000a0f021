# SPDX-License-Identifier: MIT
"""``rm``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import (
    emit,
)
from sandbox.engine import Engine
from sandbox.errors import ContainerNotFound, CorruptData, SandboxError
from sandbox.models.endpoints import split_link


@click.command()
@click.option("-f", "--force", is_flag=True, help="Kill a running container; ignore a missing one.")
@click.option("-l", "--link", is_flag=True, help="Remove the link CONTAINER/ALIAS instead.")
@click.option("-v", "--volumes", is_flag=True, help="Also remove its anonymous volumes.")
@click.argument(
    "containers",
    nargs=-1,
    required=True,
    metavar="CONTAINER...",
    shell_complete=complete_containers,
)
def rm(*, force: bool, link: bool, volumes: bool, containers: tuple[str, ...]) -> int:
    """Remove containers and their changes."""
    engine = Engine()
    code = 0
    for name in containers:
        try:
            if link:
                engine.networks.remove_link(*split_link(name))
            else:
                engine.containers.remove(name, force=force, volumes=volumes)
        except ContainerNotFound as exc:
            click.echo(f"sandbox: {exc.message}", err=True)
            code = code if force else 1
            continue
        except CorruptData as exc:
            if force and engine.containers.remove_damaged(name):
                emit(name)
                continue
            click.echo(f"sandbox: {exc.message}", err=True)
            code = 1
            continue
        except SandboxError as exc:
            click.echo(f"sandbox: {exc.message}", err=True)
            code = 1
            continue
        emit(name)
    return code
