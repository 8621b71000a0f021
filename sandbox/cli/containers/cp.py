# SPDX-License-Identifier: MIT
"""``cp``."""

from __future__ import annotations

import sys

import click

from sandbox.engine import Engine
from sandbox.errors import UsageError


@click.command()
@click.option("-a", "--archive", is_flag=True, help="Keep owners.")
@click.option("-L", "--follow-link", is_flag=True, help="Follow a link that is the source.")
@click.option("-q", "--quiet", is_flag=True, help="Print no summary of the copy.")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DEST")
def cp(*, archive: bool, follow_link: bool, quiet: bool, source: str, target: str) -> None:
    """Copy files between a container and the host.

    One of SRC and DEST is CONTAINER:PATH; the other is a path, or - for a tar archive
    on standard output or input. A SRC that ends in /. means the contents of the
    directory.
    """
    containers = Engine().containers
    from_name, from_path = split_container_path(source)
    to_name, to_path = split_container_path(target)
    if from_name and to_name:
        raise UsageError("copying between containers is not supported")
    if from_name and to_path == "-":
        _refuse_terminal()
        containers.get_archive(from_name, from_path, sys.stdout.buffer.write, follow=follow_link)
        return
    if from_name:
        size = containers.copy_from(
            from_name, from_path, to_path, follow=follow_link, keep_owners=archive
        )
    elif not to_name:
        raise UsageError("must specify at least one container source or destination")
    elif from_path == "-":
        size = containers.put_archive(to_name, to_path, sys.stdin.buffer.read)
    else:
        size = containers.copy_to(
            to_name, from_path, to_path, follow=follow_link, keep_owners=archive
        )
    if not quiet and sys.stderr.isatty():
        from sandbox.cli.output.format import human_size

        click.echo(f"Successfully copied {human_size(size)} to {target}", err=True)


def split_container_path(argument: str) -> tuple[str, str]:
    """Return (container, path); the container is empty for a path of the host.

    >>> split_container_path("c1:/etc"), split_container_path("./c1:x")
    (('c1', '/etc'), ('', './c1:x'))
    """
    if argument.startswith("/"):
        return "", argument
    name, colon, path = argument.partition(":")
    if not colon or name.startswith("."):
        return "", argument
    return name, path


def _refuse_terminal() -> None:
    if sys.stdout.isatty():
        raise UsageError("refusing to write a tar archive to a terminal: use a path or redirect")
