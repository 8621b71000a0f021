# SPDX-License-Identifier: MIT
"""``commit``."""

from __future__ import annotations

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import emit


@click.command(options_metavar="[OPTIONS]")
@click.option("-a", "--author", default="", metavar="TEXT", help="The author of the image.")
@click.option("-m", "--message", default="", metavar="TEXT", help="A comment on the image.")
@click.option(
    "-c", "--change", "changes", multiple=True, metavar="INSTRUCTION",
    help="Apply a Dockerfile instruction to the image.",
)  # fmt: skip
@click.option("-p", "--pause", is_flag=True, help="No effect: the container is never paused.")
@click.argument("container", shell_complete=complete_containers)
@click.argument("reference", required=False, metavar="[REPOSITORY[:TAG]]")
def commit(
    *,
    author: str,
    message: str,
    changes: tuple[str, ...],
    pause: bool,
    container: str,
    reference: str | None,
) -> None:
    """Make an image from a container's changes, and print its id."""
    from sandbox.engine import Engine
    from sandbox.engine.containers.commit import CommitRequest

    del pause
    request = CommitRequest(reference=reference, author=author, message=message, changes=changes)
    emit(Engine().containers.commit(container, request))
