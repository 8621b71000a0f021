# SPDX-License-Identifier: MIT
"""A group of commands whose modules are imported on demand.

Does not know: which commands exist; the groups pass their tables.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Entry = tuple[str, str, str]
"""Module in sandbox.cli, attribute of the command in it, one line of help."""


_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))


class Verbs(click.Group):
    """A group whose commands take ``--flag=true`` and ``--flag=false``, as Docker's do."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        """Use docker's names of the arguments in help."""
        super().__init__(*args, **{"subcommand_metavar": "COMMAND", **settings})

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and normalise its flags."""
        name, command, rest = super().resolve_command(ctx, args)
        if command is None or isinstance(command, click.Group):
            return name, command, rest
        if "--help" in rest or "-h" in rest:
            command.params.sort(key=_help_order)
        try:
            return name, command, plain_flags(command, rest)
        except click.BadParameter as exc:
            exc.ctx = click.Context(command, ctx, info_name=name)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands, each with the whole first sentence of its help."""
        rows = []
        for name in sorted(self.list_commands(ctx)):
            command = self.get_command(ctx, name)
            if command is not None:
                rows.append((name, command.get_short_help_str(200).removesuffix(".")))
        with formatter.section("Commands"):
            formatter.write_dl(rows)


class _Word(Record, eq=False):
    """A word of the command line, with its flag if it is one."""

    text: str
    flag: click.Option | None = None


def _help_order(item: click.Parameter) -> tuple[bool, str]:
    """Sort options by their long names, after the arguments."""
    if isinstance(item, click.Argument):
        return False, ""
    return True, max(item.opts, key=len).lstrip("-")


def plain_flags(command: click.Command, args: Sequence[str]) -> list[str]:
    """Return *args* in click's syntax: without ``--flag=true``, ``-t=false`` or ``-p=80``.

    The opposite name turns off a flag that is on by default. The later word wins. The words
    of the program in the container stay unchanged. Raises click's `BadParameter`.
    """
    options = {
        name: item
        for item in command.params
        if isinstance(item, click.Option)
        for name in item.opts
    }
    mixed = command.context_settings.get("allow_interspersed_args", True)
    plain: list[_Word] = []
    rest = iter(args)
    for word in rest:
        if word == "--" or not (mixed or word.startswith("-")):
            plain += [_Word(word), *map(_Word, rest)]
            break
        parts = _long(word, options) if word.startswith("--") else _short(word, options)
        for option, value in parts or ():
            if not option.is_flag:
                plain.append(_Word(value))
            else:
                plain = [item for item in plain if item.flag is not option]
                name = _flag_name(option, is_true=_truth(option, value))
                plain += [_Word(name, option)] if name else []
        if parts is None:
            plain.append(_Word(word))
        if _wants_next(word, options):
            plain += [_Word(value) for value in [next(rest, None)] if value is not None]
    return [item.text for item in plain]


_Parts = list[tuple[click.Option, str]]


def _long(word: str, options: Mapping[str, click.Option]) -> _Parts | None:
    name, equals, value = word.partition("=")
    option = options.get(name)
    if option is None or not option.is_flag:
        return None
    return [(option, value if equals else "true")]


def _short(word: str, options: Mapping[str, click.Option]) -> _Parts | None:
    """Split ``-it=false``; return None if it is empty or has an unknown letter."""
    parts: _Parts = []
    letters = word[1:] if word.startswith("-") else ""
    while letters:
        option = options.get(f"-{letters[0]}")
        if option is None:
            return None
        name, letters = f"-{letters[0]}", letters[1:]
        if not option.is_flag:
            parts.append((option, name + letters.removeprefix("=")))
            break
        if letters.startswith("="):
            parts.append((option, letters[1:]))
            break
        parts.append((option, "true"))
    return parts or None


def _truth(option: click.Option, value: str) -> bool:
    if value not in _TRUE | _FALSE:
        raise click.BadParameter(
            f'invalid argument "{value}" for "{flag_names(option)}" flag: '
            f'strconv.ParseBool: parsing "{value}": invalid syntax'
        )
    return value in _TRUE


def flag_names(option: click.Option) -> str:
    """Return the names of an option in the format of Docker's messages: ``-t, --tty``."""
    return ", ".join([option.opts[0], *option.opts[-1:]] if len(option.opts) > 1 else option.opts)


def _flag_name(option: click.Option, *, is_true: bool) -> str:
    """Return click's word for a flag; empty if it is the default."""
    if is_true:
        return max(option.opts, key=len)
    return option.secondary_opts[0] if option.secondary_opts else ""


def _wants_next(word: str, options: Mapping[str, click.Option]) -> bool:
    """Tell whether the next word is the value of the last option in *word*."""
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
        """Imports a command on demand."""

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
                formatter.write_dl([(name, entry[2]) for name, entry in sorted(entries.items())])

    return LazyGroup
