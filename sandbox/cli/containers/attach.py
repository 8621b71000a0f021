# SPDX-License-Identifier: MIT
"""``attach``."""

from __future__ import annotations

import os

import click

from sandbox.cli.containers.arguments import CONTAINER, DETACH_KEYS, SIG_PROXY
from sandbox.cli.open_engine import open_engine
from sandbox.errors import Detached, UsageError


@click.command(options_metavar="[OPTIONS]")
@DETACH_KEYS
@click.option("--no-stdin", is_flag=True, help="Leave standard input alone.")
@SIG_PROXY
@CONTAINER
def attach(*, detach_keys: str | None, no_stdin: bool, sig_proxy: bool, container: str) -> int:
    """Attach to the input and output of a running container.

    The command ends with the container and its exit code, or with 1 after the detach
    keys; the container then continues.
    """
    from sandbox.runtime.attach import Wishes, chosen_keys

    engine = open_engine()
    config = engine.containers.get(container).config
    need_terminal(config.tty and config.open_stdin and not no_stdin)
    wishes = Wishes(
        stdin=not no_stdin, keys=chosen_keys(detach_keys), proxy=sig_proxy and not config.tty
    )
    code = engine.containers.attach(container, wishes)
    if code is None:
        raise Detached
    return code


def need_terminal(needed: bool) -> None:
    """Raise `UsageError` if a terminal is *needed* and standard input is none."""
    if needed and not os.isatty(0):
        raise UsageError("the input device is not a TTY")
