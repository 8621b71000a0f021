# SPDX-License-Identifier: MIT
"""``completion``: scripts for shells, and the completions that they ask for.

Rules: completion never fails and never writes. A store that cannot be read has no
completions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARIABLE = "_SANDBOX_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(*, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    For this session:    source <(sandbox completion bash)
    For fish:            sandbox completion fish | source
    """  # noqa: D301 - \b keeps click from filling the paragraph
    from click.shell_completion import get_completion_class

    from sandbox.cli.commands import cli

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(cli, {}, "sandbox", _VARIABLE).source())


def complete_containers(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of containers that start with *incomplete*."""
    from sandbox.store.containers import ContainerStore
    from sandbox.store.layout import Layout

    try:
        store = ContainerStore(Layout.default())
        names = [item.config.name for item in store.all()]
    except SandboxError:
        return []
    return _starting(names, incomplete)


def complete_images(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Return the names of images that start with *incomplete*."""
    from sandbox.engine import Engine

    try:
        images = Engine().images.list()
    except SandboxError:
        return []
    names = ["host", *(tag for image in images for tag in image.familiar_tags)]
    return _starting(names, incomplete)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
