# SPDX-License-Identifier: MIT
"""A command in a real terminal: its screen and its keyboard."""

from __future__ import annotations

import time
from collections.abc import Callable

import pexpect
import pyte

from tests.harness.command import Sandbox

ROWS, COLUMNS = 24, 80


class Screen(pyte.Screen):
    """A screen that skips the sequences which pyte does not know."""

    def select_graphic_rendition(self, *attributes: int, **_private: bool) -> None:
        """Leave out private forms."""
        super().select_graphic_rendition(*attributes)


class Terminal:
    """The terminal of a command."""

    def __init__(self, engine: Sandbox, *arguments: str) -> None:
        """Start the command."""
        program, *rest = engine.argv(*arguments)
        environ = {**engine.environment(), "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self.child = pexpect.spawn(
            program,
            rest,
            env=environ,
            dimensions=(ROWS, COLUMNS),
            timeout=100,  # type: ignore[arg-type]
        )
        self.child.delaybeforesend = None
        self._screen = Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def text(self) -> str:
        """The text of the screen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def see(self, *words: str) -> None:
        """Wait until all *words* are on the screen."""
        self.until(lambda: all(word in self.text for word in words), str(words))

    def until(self, probe: Callable[[], bool], what: str) -> None:
        """Read until *probe* is true."""
        deadline = time.monotonic() + 100
        while not probe():
            assert time.monotonic() < deadline, f"{what} is not on the screen:\n{self.text}"
            try:
                self._stream.feed(self.child.read_nonblocking(65536, 0.1))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert probe(), f"it ended without {what}:\n{self.text}"
                return

    def keys(self, text: str) -> None:
        """Type."""
        self.child.send(text)

    def resize(self, rows: int, columns: int) -> None:
        """Give the window another size."""
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def ends(self) -> int | None:
        """Wait for the end and return the exit code."""
        self.child.expect(pexpect.EOF)
        self.child.close()
        code: int | None = self.child.exitstatus
        return code
