# SPDX-License-Identifier: MIT
"""The format of results: tables, ages, sizes, and ``--format``.

Rules: every function returns text; only `emit` writes.

Does not know: where the values come from.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Column(Record, frozen=True):
    """A column of a table: the heading and the field it shows."""

    heading: str
    field: str


def emit(text: str, *, end: str = "\n") -> None:
    """Write *text* and *end* to standard output, byte for byte.

    A terminal gets no control characters, because names in the text come from strangers.
    """
    if sys.stdout.isatty():
        text = visible(text, keep="\n\t")
    sys.stdout.write(text + end)


_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))} | {
    ord("\t"): "\\t",
    ord("\n"): "\\n",
    ord("\r"): "\\r",
}


def visible(text: str, *, keep: str = "") -> str:
    r"""Return *text* with control characters escaped, because names come from strangers.

    >>> visible("a\x1b[2J\n"), visible("a\n", keep="\n")
    ('a\\x1b[2J\\n', 'a\n')
    """
    if text.isprintable():
        return text
    return text.translate({code: to for code, to in _ESCAPES.items() if chr(code) not in keep})


def table(headings: Sequence[str], rows: Iterable[Sequence[str]], *, least: int = 10) -> str:
    """Return columns aligned as Docker does: three spaces apart, of a minimal width.

    >>> print(table(["A", "BB"], [["xx", "y"]]))
    A         BB
    xx        y
    """
    lines = [list(headings), *([visible(cell) for cell in row] for row in rows)]
    widths = [
        max(least, *(len(line[index]) + 3 for line in lines)) for index in range(len(headings))
    ]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def render(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[Column],
    *,
    template: str | None,
    headings: Mapping[str, Any],
) -> str:
    """Return *rows* in the form that ``--format`` asks for.

    Without a template, or with ``table``, it is the table of *columns*; ``json`` is
    one object a line; ``table TEMPLATE`` has a heading made from *headings*.
    """
    if template is None or template == "table":
        cells = [[str(row[column.field]) for column in columns] for row in rows]
        return table([column.heading for column in columns], cells)
    from sandbox.cli.output.template import Template
    from sandbox.cli.output.template_functions import Struct, to_json

    if template == "json":
        return "\n".join(to_json(_plain(row)) for row in rows)
    body = template.replace("\\t", "\t").replace("\\n", "\n")
    if not body.startswith("table "):
        parsed = Template(body)
        return "\n".join(parsed.render(_with_json(row)) for row in rows)
    parsed = Template(body.removeprefix("table "))
    lines = [parsed.render(Struct(headings))]
    lines += [parsed.render(_with_json(row)) for row in rows]
    cells = [line.split("\t") for line in lines]
    width = max(len(line) for line in cells)
    padded = [line + [""] * (width - len(line)) for line in cells]
    return table(padded[0], padded[1:])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not callable(value)}


def _with_json(row: Mapping[str, Any]) -> Any:
    from sandbox.cli.output.template_functions import Struct

    return Struct(row)


def render_objects(objects: Sequence[Any], template: str | None) -> str:
    """Return whole objects: indented JSON, or a line of *template* for each."""
    if template is None:
        import json

        return json.dumps(objects, indent=4, ensure_ascii=False)
    from sandbox.cli.output.template import Template
    from sandbox.cli.output.template_functions import to_json

    if template == "json":
        return "\n".join(to_json(item) for item in objects)
    parsed = Template(template.replace("\\t", "\t").replace("\\n", "\n"))
    return "\n".join(parsed.render(item) for item in objects)


_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")

# (upper bound in seconds, size of the unit, plural, text for exactly one)


def human_size(size: float, digits: int = 3) -> str:
    """Return *size* in Docker's format: decimal units, few digits.

    >>> human_size(0), human_size(1536), human_size(117_300_000)
    ('0B', '1.54kB', '117MB')
    """
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.{digits}g}{_UNITS[unit]}"


def ellipsis(text: str, width: int) -> str:
    """Return *text*, cut to *width* characters with a mark at the end.

    >>> ellipsis("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= width else text[: width - 1] + "…"
