# SPDX-License-Identifier: MIT
"""A group of commands whose modules are imported when somebody asks for them.

Does not know: which commands there are; the groups pass their tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Entry = tuple[str, str, str]
"""Module in sandbox.cli, attribute of the command in it, one line of help."""


_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Verbs(click.Group):
    """A group whose commands take ``--flag=true`` and ``--flag=false``, as Docker's do."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """As click's, but for what help calls the arguments."""
        super().__init__(*args, **{"subcommand_metavar": "COMMAND", **settings})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and make its flags plain."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is None or isinstance(command, click.Group):
            return name, command, rest
        return name, command, plain_flags(command, rest)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the whole first sentence of its help."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None:
                rows.append((name, command.get_short_help_str(200).removesuffix(".")))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def plain_flags(command: click.Command, args: Sequence[str]) -> list[str]:
    """Return *args* with ``--flag=true`` as ``--flag``, and without ``--flag=false``.

    A flag that is on by default is turned off by its other name. What belongs to a
    program in a container is left alone.
    """
    options = {
        name: item
        for item in command.params
        if isinstance(item, click.Option)
        for name in item.opts
    }
    mixed = command.context_settings.get("allow_interspersed_args", True)
    plain: list[str] = []
    rest = iter(args)
    for word in rest:
        if word == "--" or not (mixed or word.startswith("-")):
            return [*plain, word, *rest]
        name, equals, value = word.partition("=")
        option = options.get(name)
        if name.startswith("--") and equals and option is not None and option.is_flag:
            if value in _TRUE:
                word = name
            elif value in _FALSE:
                plain = [item for item in plain if item != name]
                plain += option.secondary_opts[:1]
                continue
        plain.append(word)
        if _wants_next(word, options):
            plain += [value for value in [next(rest, None)] if value is not None]
    return plain


def _wants_next(word: str, options: Mapping[str, click.Option]) -> bool:
    """Whether the value of the last option in *word* is the next word."""
    if word.startswith("--"):
        option = options.get(word)
        return option is not None and not option.is_flag
    if not word.startswith("-"):
        return False
    for place, letter in enumerate(word[1:], 2):
        option = options.get(f"-{letter}")
        if option is not None and not option.is_flag:
            return place == len(word)
    return False


def lazy_group(entries: Mapping[str, Entry], aliases: Mapping[str, str]) -> type[click.Group]:
    """Return the class of a group with these commands."""

    class LazyGroup(Verbs):
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
