# SPDX-License-Identifier: MIT
"""The terminal view of ``image explore``: layers above, the files of one layer below.

Does not know: how a report is made.
"""

from __future__ import annotations

import curses
from typing import TYPE_CHECKING, Any

from sandbox.cli.images.layer_report import file_lines, layer_line, summary

if TYPE_CHECKING:
    from sandbox.engine.images.explore import ImageReport

_HELP = "arrows: layer   space, b: pages   q: end"


def show(report: ImageReport) -> None:
    """Show the view until the user quits."""
    if report.layers:
        curses.wrapper(lambda screen: _View(screen, report).run())


class _View:
    """The state of the view: the chosen layer and the first shown file."""

    def __init__(self, screen: Any, report: ImageReport) -> None:
        self._screen = screen
        self._report = report
        self._layer = 0
        self._top = 0
        self._files = list(file_lines(report.layers[0]))

    def run(self) -> None:
        """Draw the view and handle keys until the user quits."""
        curses.curs_set(0)
        while True:
            height = self._draw()
            key = self._screen.getch()
            if key in (ord("q"), 27, 4):
                return
            if key in (curses.KEY_DOWN, ord("j")):
                self._choose(self._layer + 1)
            elif key in (curses.KEY_UP, ord("k")):
                self._choose(self._layer - 1)
            elif key in (ord(" "), curses.KEY_NPAGE):
                self._top = min(self._top + height, max(0, len(self._files) - 1))
            elif key in (ord("b"), curses.KEY_PPAGE):
                self._top = max(0, self._top - height)

    def _choose(self, number: int) -> None:
        self._layer = max(0, min(number, len(self._report.layers) - 1))
        self._files = list(file_lines(self._report.layers[self._layer]))
        self._top = 0

    def _draw(self) -> int:
        """Draw the view; return how many files fit."""
        self._screen.erase()
        height, width = self._screen.getmaxyx()
        self._line(0, summary(self._report), width, curses.A_BOLD)
        count = min(len(self._report.layers), max(1, height // 2 - 2))
        first = max(0, min(self._layer - count // 2, len(self._report.layers) - count))
        for row in range(count):
            layer = self._report.layers[first + row]
            style = curses.A_REVERSE if layer.number == self._layer else curses.A_NORMAL
            self._line(1 + row, layer_line(layer), width, style)
        room: int = max(1, height - count - 3)
        for row, text in enumerate(self._files[self._top : self._top + room]):
            self._line(2 + count + row, text, width, curses.A_NORMAL)
        self._line(height - 1, _HELP, width, curses.A_DIM)
        self._screen.refresh()
        return room

    def _line(self, row: int, text: str, width: int, style: int) -> None:
        visible = "".join(char if char.isprintable() else "?" for char in text)
        if row < self._screen.getmaxyx()[0]:
            self._screen.insnstr(row, 0, visible, max(0, width - 1), style)
