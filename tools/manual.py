# SPDX-License-Identifier: MIT
"""Make the manual from the command line itself: man pages, and one page of the site.

``python -m tools.manual DIRECTORY`` writes ``sandbox.1``, ``sandbox-run.1`` and so on. A verb
that has two names (``run`` and ``container run``) is written once; the other name refers to it.

Does not know: any verb. What a page says is what ``--help`` says.
"""

from __future__ import annotations

import inspect
import pathlib
import sys
from collections.abc import Iterable, Iterator

import click

from sandbox import __version__
from sandbox.cli.commands import cli

_LITERAL = "\b"
"""Click's mark of a paragraph whose lines stay as they are."""


def contexts(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[click.Context]:
    """Walk a command and everything below it; each comes as the context of its help."""
    here = click.Context(command, info_name=name, parent=parent, **command.context_settings)
    yield here
    if isinstance(command, click.Group):
        for child in command.list_commands(here):
            found = command.get_command(here, child)
            if found is not None and not found.hidden:
                yield from contexts(found, child, here)


def paragraphs(command: click.Command) -> list[tuple[str, bool]]:
    """Return the paragraphs of a command's help, and whether each keeps its lines."""
    parts = inspect.cleandoc(command.help or "").split("\n\n")
    return [(part.removeprefix(_LITERAL).strip("\n"), part.startswith(_LITERAL)) for part in parts]


def options(ctx: click.Context) -> list[tuple[str, str]]:
    """Return the options as ``--help`` shows them, sorted by their long names."""
    shown = [item for item in ctx.command.get_params(ctx) if isinstance(item, click.Option)]
    shown.sort(key=lambda item: max(item.opts, key=len).lstrip("-"))
    return [record for item in shown if (record := item.get_help_record(ctx))]


def children(ctx: click.Context) -> list[tuple[str, str]]:
    """Return the names and summaries of a group's commands."""
    group = ctx.command
    if not isinstance(group, click.Group):
        return []
    found = ((name, group.get_command(ctx, name)) for name in sorted(group.list_commands(ctx)))
    return [(name, summary(item)) for name, item in found if item is not None and not item.hidden]


def summary(command: click.Command) -> str:
    """Return the first sentence of a command's help."""
    return command.get_short_help_str(200).removesuffix(".")


def synopsis(ctx: click.Context) -> str:
    """Return the arguments of a command, as the first line of ``--help`` has them."""
    return " ".join(ctx.command.collect_usage_pieces(ctx))


# ---- man pages ------------------------------------------------------------------------------


def roff(text: str) -> str:
    """Quote text for roff."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)


def page_name(ctx: click.Context) -> str:
    """Return the name of a command's page: ``sandbox-container-ls``."""
    return ctx.command_path.replace(" ", "-")


def man_page(ctx: click.Context) -> str:
    """Return the man page of a command."""
    name = page_name(ctx)
    lines = [f'.TH "{roff(name.upper())}" 1 "" "sandbox {__version__}" "sandbox manual"']
    lines += [".SH NAME", f"{roff(name)} \\- {roff(summary(ctx.command))}"]
    lines += [".SH SYNOPSIS", f".B {roff(ctx.command_path)}", roff(synopsis(ctx))]
    lines += [".SH DESCRIPTION"]
    for text, literal in paragraphs(ctx.command):
        lines += [".PP", *([".nf", roff(text), ".fi"] if literal else [roff(text)])]
    for title, rows in (("OPTIONS", options(ctx)), ("COMMANDS", children(ctx))):
        if rows:
            lines.append(f".SH {title}")
            for term, text in rows:
                lines += [".TP", f"\\fB{roff(term)}\\fR", roff(text)]
    if ctx.parent is not None:
        lines += [".SH SEE ALSO", f".BR {roff(page_name(ctx.parent))} (1)"]
    return "\n".join(lines) + "\n"


def write_man_pages(folder: pathlib.Path) -> int:
    """Write a page for every command and return how many."""
    folder.mkdir(parents=True, exist_ok=True)
    pages: dict[int, str] = {}
    for ctx in contexts(cli, "sandbox"):
        name = page_name(ctx)
        first = pages.setdefault(id(ctx.command), name)
        text = man_page(ctx) if first == name else f".so man1/{first}.1\n"
        (folder / f"{name}.1").write_text(text, encoding="utf-8")
    return len(list(folder.iterdir()))


# ---- the page of the site -------------------------------------------------------------------


def table(head: str, rows: Iterable[tuple[str, str]]) -> list[str]:
    """Return a Markdown table of terms and what they mean."""
    cells = [f"| `{quoted(term)}` | {quoted(text)} |" for term, text in rows]
    return ["", f"| {head} | |", "|---|---|", *cells] if cells else []


def quoted(text: str) -> str:
    """Keep a vertical bar from ending a cell."""
    return text.replace("|", "\\|")


def commands_page() -> str:
    """Return every command and option as one Markdown page."""
    lines = ["# All commands and flags", "", f"What `--help` says, of sandbox {__version__}."]
    seen: dict[int, str] = {}
    for ctx in contexts(cli, "sandbox"):
        path = ctx.command_path
        lines += ["", f"## {path}", ""]
        first = seen.setdefault(id(ctx.command), path)
        if first != path:
            lines.append(f"Another name of [`{first}`](#{first.replace(' ', '-')}).")
            continue
        lines += [f"`{path} {synopsis(ctx)}`"]
        for text, literal in paragraphs(ctx.command):
            lines += ["", f"```text\n{text}\n```" if literal else text]
        lines += table("Flag", options(ctx)) + table("Command", children(ctx))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    sys.stdout.write(f"{write_man_pages(target)} man pages in {target}\n")
