# SPDX-License-Identifier: MIT
"""The report of ``image explore``, as lines and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.cli.output.format import ellipsis, human_size, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.engine.images.explore import ImageReport, LayerReport


def shown(name: str) -> str:
    """Return a name of a table as text for the terminal, byte for byte."""
    return name.encode("latin-1").decode("utf-8", "surrogateescape")


def shown_in_line(name: str) -> str:
    """Return a name of a table as part of a line, with control characters escaped."""
    return visible(shown(name))


def report_lines(report: ImageReport) -> Iterator[str]:
    """Yield the report on a whole image."""
    yield summary(report)
    for layer in report.layers:
        yield layer_line(layer)
    if report.wasted:
        yield ""
        yield "Wasted (in a lower layer, and hidden by a higher one):"
    for path, size in report.wasted[:20]:
        yield f"{human_size(size, 4):>10}  /{shown_in_line(path)}"


def summary(report: ImageReport) -> str:
    """Return the line on the whole image."""
    wasted = report.wasted_size
    good = 100.0 if not report.size else 100 * (report.size - wasted) / report.size
    count = len(report.layers)
    return (
        f"{count} layer{'s' if count != 1 else ''}, {human_size(report.size, 4)};"
        f" wasted {human_size(wasted, 4)}, efficiency {good:.1f}%"
    )


def layer_line(layer: LayerReport) -> str:
    """Return the line on one layer."""
    counts = f"+{len(layer.added)} ~{len(layer.changed)} -{len(layer.removed)}"
    step = ellipsis(visible(" ".join(layer.created_by.split())), 60)
    return f"{layer.number + 1:>3} {human_size(layer.size, 4):>9} {counts:<18} {step}".rstrip()


def file_lines(layer: LayerReport) -> Iterator[str]:
    """Yield the files of one layer, by path."""
    rows = [("A", path, size) for path, size in layer.added]
    rows += [("C", path, size) for path, size in layer.changed]
    rows += [("D", path, 0) for path in layer.removed]
    for kind, path, size in sorted(rows, key=lambda row: row[1]):
        yield f"{kind} {human_size(size, 4):>9}  /{shown_in_line(path)}"


def report_json(report: ImageReport) -> dict[str, object]:
    """Return the report for ``--json``."""
    return {
        "Id": report.image.id,
        "Size": report.size,
        "Wasted": report.wasted_size,
        "WastedFiles": [{"Path": f"/{shown(path)}", "Size": size} for path, size in report.wasted],
        "Layers": [
            {
                "DiffId": layer.diff_id,
                "CreatedBy": layer.created_by,
                "Size": layer.size,
                "Added": [f"/{shown(path)}" for path, _ in layer.added],
                "Changed": [f"/{shown(path)}" for path, _ in layer.changed],
                "Removed": [f"/{shown(path)}" for path in layer.removed],
            }
            for layer in report.layers
        ],
    }
