# SPDX-License-Identifier: MIT
"""The progress of a transfer: bars on a terminal, one line a step elsewhere, or nothing.

Rules: any thread may report. Only a terminal causes the import of rich.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.registry.download import OnProgress

_MOVING = frozenset({"Downloading", "Pushing"})
_QUIET_STEPS = frozenset({"Preparing", "Extracting"})


def _nothing(name: str, status: str, done: int = 0, total: int = 0) -> None:
    """Show nothing."""


@contextmanager
def progress_shown(*, quiet: bool, to_stderr: bool = False) -> Iterator[OnProgress]:
    """Give the function that shows reported progress."""
    stream = sys.stderr if to_stderr else sys.stdout
    if quiet:
        yield _nothing
    elif stream.isatty():
        with _bars(to_stderr=to_stderr) as show:
            yield show
    else:
        yield _Lines(to_stderr=to_stderr)


class _Lines:
    """One line for every step, none for its progress."""

    def __init__(self, *, to_stderr: bool) -> None:
        self._to_stderr = to_stderr
        self._seen: set[tuple[str, str]] = set()
        self._lock = threading.Lock()

    def __call__(self, name: str, status: str, done: int = 0, total: int = 0) -> None:
        del done, total
        if status in _MOVING or status in _QUIET_STEPS:
            return
        with self._lock:
            if (name, status) in self._seen:
                return
            self._seen.add((name, status))
            click.echo(f"{name}: {status}" if name else status, err=self._to_stderr)


@contextmanager
def _bars(*, to_stderr: bool) -> Iterator[OnProgress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=to_stderr, highlight=False)
    bars = Progress(
        TextColumn("{task.description}"),
        TextColumn("{task.fields[status]}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
    )
    tasks: dict[str, Any] = {}
    lock = threading.Lock()

    def show(name: str, status: str, done: int = 0, total: int = 0) -> None:
        with lock:
            if not total and name not in tasks and status not in ("Pulling fs layer", "Preparing"):
                console.print(f"{name}: {status}" if name else status, markup=False)
                return
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=None, status=status)
        change: dict[str, Any] = {"status": status}
        if total:
            change |= {"completed": done, "total": total}
        bars.update(tasks[name], **change)

    with bars:
        yield show
