"""How results look: tables, ages, sizes, and ``--format``.

Rules: everything returns text; `emit` is the one function that writes.

Does not know: where the values come from.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: the heading and the field it shows."""

    heading: str
    field: str


def emit(text: str) -> None:
    """Write *text* and a newline to standard output, byte for byte."""
    sys.stdout.write(text + "\n")


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return aligned columns with three spaces between them.

    >>> print(table(["A", "BB"], [["xx", "y"]]))
    A    BB
    xx   y
    """
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(headings))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
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
    from sandbox.cli.template import Template
    from sandbox.cli.template_functions import Struct, to_json

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
    from sandbox.cli.template_functions import Struct

    return Struct(row)


def render_objects(objects: Sequence[Any], template: str | None) -> str:
    """Return whole objects: indented JSON, or a line of *template* for each."""
    if template is None:
        import json

        return json.dumps(objects, indent=4, ensure_ascii=False)
    from sandbox.cli.template import Template
    from sandbox.cli.template_functions import to_json

    if template == "json":
        return "\n".join(to_json(item) for item in objects)
    parsed = Template(template.replace("\\t", "\t").replace("\\n", "\n"))
    return "\n".join(parsed.render(item) for item in objects)


_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")

# (below this many seconds, size of the unit, name, name of exactly one)
_AGES = (
    (60, 1, "seconds", "1 second"),
    (3600, 60, "minutes", "About a minute"),
    (48 * 3600, 3600, "hours", "About an hour"),
    (14 * 86400, 86400, "days", "1 day"),
    (60 * 86400, 7 * 86400, "weeks", "1 week"),
    (730 * 86400, 30 * 86400, "months", "1 month"),
)


def human_size(size: float, digits: int = 3) -> str:
    """Return *size* as Docker shows it: decimal units, few digits.

    >>> human_size(0), human_size(1536), human_size(117_300_000)
    ('0B', '1.54kB', '117MB')
    """
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.{digits}g}{_UNITS[unit]}"


def human_duration(seconds: float) -> str:
    """Return a rough duration in words, as Docker rounds it.

    >>> human_duration(0.5), human_duration(75), human_duration(3 * 3600)
    ('Less than a second', 'About a minute', '3 hours')
    """
    if seconds < 1:
        return "Less than a second"
    for limit, unit, plural, one in _AGES:
        # Hours are rounded to the nearest; everything else is cut.
        count = int(seconds / unit + 0.5) if unit == 3600 else int(seconds / unit)
        if seconds < limit and not (unit == 3600 and count >= 48):
            return one if count == 1 else f"{count} {plural}"
    return f"{int(seconds / (365 * 86400))} years"


def seconds_since(stamp: str, now: float) -> float:
    """Return how long before *now* (seconds since 1970) the RFC 3339 *stamp* was."""
    from datetime import datetime

    return max(0.0, now - datetime.fromisoformat(stamp).timestamp())


def ellipsis(text: str, width: int) -> str:
    """Return *text*, cut to *width* characters with a mark at the end.

    >>> ellipsis("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= width else text[: width - 1] + "…"
