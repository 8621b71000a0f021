# SPDX-License-Identifier: MIT
"""The messages of mistakes on the command line, in Docker's words.

Does not know: how they are shown.
"""

from __future__ import annotations

import re

import click

from sandbox.cli.lazy_group import flag_names
from sandbox.cli.unsupported_flags import reason_against


def is_about_a_flag(exc: click.ClickException) -> bool:
    """Tell whether a flag is unknown or its value is wrong or missing (exit code 125)."""
    if isinstance(exc, click.NoSuchOption | click.BadOptionUsage):
        return True
    return isinstance(exc, click.BadParameter) and not isinstance(exc.param, click.Argument)


def refusal(exc: click.ClickException) -> str | None:
    """Return why one of Docker's flags is not supported here."""
    if not isinstance(exc, click.NoSuchOption) or exc.ctx is None:
        return None
    ctx = exc.ctx
    group = ctx.parent.command.name if ctx.parent else None
    for words in (f"{group} {ctx.info_name}", ctx.command.name or ""):
        reason = reason_against(words, exc.option_name)
        if reason:
            return f"{exc.option_name} is not supported: {reason}"
    return None


def text_of(exc: click.ClickException) -> str:
    """Return the line that describes a mistake."""
    if isinstance(exc, click.NoSuchOption):
        return _unknown_flag(exc)
    if isinstance(exc, click.BadOptionUsage):
        name = exc.option_name
        if "requires an argument" in exc.message:
            shown = name if name.startswith("--") else f"'{name[1:]}' in {name}"
            return f"flag needs an argument: {shown}"
    elif isinstance(exc, click.BadParameter) and isinstance(exc.param, click.Option):
        return _bad_value(exc.param, exc.message)
    elif isinstance(exc, click.UsageError) and exc.ctx is not None and _is_about_number(exc):
        return _wanted_arguments(exc.ctx)
    if exc.message.startswith("invalid argument"):
        return exc.message
    message = exc.format_message()
    return message[:1].lower() + message[1:].removesuffix(".")


def _unknown_flag(exc: click.NoSuchOption) -> str:
    name = exc.option_name
    if name.startswith("--"):
        message = f"unknown flag: {name}"
    else:
        message = f"unknown shorthand flag: '{name[1:2]}' in {name}"
    if exc.possibilities:
        message += f" (did you mean {', '.join(sorted(exc.possibilities))}?)"
    return message


def _bad_value(option: click.Option, text: str) -> str:
    number = re.fullmatch(r"'(.*)' is not a valid (integer|float)(?: range)?\.", text)
    if number is None:
        return f'invalid argument for "{flag_names(option)}" flag: {text.removesuffix(".")}'
    function = "ParseInt" if number[2] == "integer" else "ParseFloat"
    return (
        f'invalid argument "{number[1]}" for "{flag_names(option)}" flag: '
        f'strconv.{function}: parsing "{number[1]}": invalid syntax'
    )


def _is_about_number(exc: click.UsageError) -> bool:
    if isinstance(exc, click.MissingParameter):
        return isinstance(exc.param, click.Argument)
    return exc.message.startswith("Got unexpected extra argument")


def _wanted_arguments(ctx: click.Context) -> str:
    """Return how many arguments a command wants.

    >>> command = click.Command("tag", params=[click.Argument(["a"]), click.Argument(["b"])])
    >>> _wanted_arguments(click.Context(command, info_name="tag"))
    "'tag' requires 2 arguments"
    """
    arguments = [item for item in ctx.command.params if isinstance(item, click.Argument)]
    least = sum(item.required for item in arguments)
    is_open = any(item.nargs == -1 for item in arguments)
    most = len(arguments)
    if not arguments:
        return f"'{ctx.command_path}' accepts no arguments"
    word, number = "", least
    if is_open:
        word = "at least "
    elif least < most:
        word, number = ("at most ", most) if not least else (f"at least {least} and at most ", most)
    return f"'{ctx.command_path}' requires {word}{number} argument{'s' * (number != 1)}"
