# SPDX-License-Identifier: MIT
"""Options of click from tables.

A table is read twice: by click here, and by `quick_words`, which needs no click to understand
the usual command lines of `run` and `exec`.

Does not know: which options exist.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.cli.quick_words import Table

SETTINGS: dict[str, Any] = {"allow_interspersed_args": False, "help_option_names": ["--help"]}


def options(table: Table) -> Callable[[Any], Any]:
    """Return the decorator that adds the options of *table* to a command."""

    def add(command: Any) -> Any:
        for names, settings in reversed(table):
            command = click.option(*names, **settings)(command)
        return command

    return add
