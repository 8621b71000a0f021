# SPDX-License-Identifier: MIT
"""A group of commands whose modules are imported when somebody asks for them.

Does not know: which commands there are; the groups pass their tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping

Entry = tuple[str, str, str]
"""Module in sandbox.cli, attribute of the command in it, one line of help."""


def lazy_group(entries: Mapping[str, Entry], aliases: Mapping[str, str]) -> type[click.Group]:
    """Return the class of a group with these commands."""

    class LazyGroup(click.Group):
        """Imports a command when somebody asks for it."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            """Return all names, without importing anything."""
            return list(entries)

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            """Import the command."""
            entry = entries.get(aliases.get(cmd_name, cmd_name))
            if entry is None:
                return None
            module, attribute, _ = entry
            command: click.Command = getattr(
                importlib.import_module(f"sandbox.cli.{module}"), attribute
            )
            return command

        def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            """Write the commands with their summaries."""
            with formatter.section("Commands"):
                formatter.write_dl([(name, entry[2]) for name, entry in entries.items()])

    return LazyGroup
