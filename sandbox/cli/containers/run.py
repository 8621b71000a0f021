# SPDX-License-Identifier: MIT
"""``run`` and ``create``, as click shows and parses them.

Does not know: what they do (`run_container`).
"""

from __future__ import annotations

from typing import Any

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.containers.run_flags import CREATE_OPTIONS, RUN_OPTIONS
from sandbox.cli.idle_flags import IDLE_OPTIONS
from sandbox.cli.option_tables import SETTINGS, options


def image_and_command(command: Any) -> Any:
    """Add the arguments IMAGE [COMMAND] [ARG...]."""
    command = click.argument(
        "args", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARG...]"
    )(command)
    return click.argument("image", metavar="IMAGE", shell_complete=complete_images)(command)


@click.command(context_settings=SETTINGS, options_metavar="[OPTIONS]")
@options((*RUN_OPTIONS, *IDLE_OPTIONS))
@image_and_command
def run(**options: Any) -> int:
    """Create and run a new container from an image.

    All words after IMAGE belong to the program in the container. The exit code is the
    program's own; 125 if the container could not start, 126 if the command is not
    executable, 127 if it was not found, 128+N after signal N.

    \b
    Examples:
      sandbox run --rm -it debian bash
      sandbox run --rm -v ./src:/src -w /src gcc make
      sandbox run --rm host apt-get update   (this machine's own files, unharmed)
    """  # noqa: D301 - \b keeps click from filling the paragraph
    from sandbox.cli.containers import run_container

    return run_container.run(options)


@click.command(context_settings=SETTINGS, options_metavar="[OPTIONS]")
@options((*CREATE_OPTIONS, *IDLE_OPTIONS))
@image_and_command
def create(**options: Any) -> None:
    """Create a new container without starting it, and print its id."""
    from sandbox.cli.containers import run_container

    run_container.create(options)
