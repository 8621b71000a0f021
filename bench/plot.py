# SPDX-License-Identifier: MIT
"""Draw the table as an SVG chart: ratios to native on a logarithmic scale."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pygal
from pygal.style import Style

from bench.report import ratio
from bench.ways import NAMES

if TYPE_CHECKING:
    from bench.lab import Lab
    from bench.measure import Outcome, Row

STYLE = Style(
    background="#ffffff",
    plot_background="#ffffff",
    colors=("#1b6ca8", "#d1495b", "#8f9a9e"),
    guide_stroke_color="#cccccc",
    major_guide_stroke_color="#cccccc",
    font_family="sans-serif",
    label_font_size=12,
    major_label_font_size=12,
    legend_font_size=13,
    title_font_size=15,
    value_font_size=10,
)


def draw(lab: Lab, path: Path, subtitle: str) -> None:
    """Write the chart of *lab* to *path*."""
    rows = [(r, o) for r, o in lab.rows() if "native" in o.samples and r.seconds_limit is None]
    rows.reverse()  # pygal draws upwards
    names = [name for name in NAMES[1:] if any(name in o.samples for _, o in rows)]
    chart = pygal.HorizontalBar(
        logarithmic=True,
        zero=0.1,  # where bars begin
        js=(),
        style=STYLE,
        width=900,
        height=120 + 42 * len(rows),
        title=f"Time, as a multiple of native (less is better)\n{subtitle}",
        legend_at_bottom=True,
        legend_at_bottom_columns=len(names),
        print_values=True,
        print_values_position="top",
        value_formatter=ratio,
        include_x_axis=False,
        y_labels=(0.1, 1, 10, 100),
        disable_xml_declaration=True,
    )
    chart.x_labels = [row.label for row, _ in rows]
    for name in names:
        chart.add(name, [_bar(row, outcome, name) for row, outcome in rows])
    path.write_text(chart.render(is_unicode=True))


def _bar(row: Row, outcome: Outcome, way: str) -> float | None:
    return outcome.ratio(way, row.key) if way in outcome.samples else None
