# SPDX-License-Identifier: MIT
"""Pins: content that a running process will soon need, though no image needs it yet.

How it works: before a process adds layers one by one, it lists all of them in a file of its
workspace. A process that removes content reads the pins of all workspaces whose owner still runs.
A pin ends with its workspace or with its process.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.models.digest import Digest
from sandbox.store.atomic_files import is_owned
from sandbox.store.lock import store_lock

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sandbox.store.layout import Layout

_PINS = "pins"
PINNING = "pins-"
"""The prefix of the names of workspaces that may have pins."""


def pin(layout: Layout, workspace: Path, digests: Iterable[Digest]) -> None:
    """Pin *digests* until the workspace ends; waits for a removal in progress."""
    draft = workspace / f"{_PINS}.new"
    with store_lock(layout), map_os_errors(f"cannot write {draft}"):
        draft.write_text("".join(f"{digest}\n" for digest in digests), encoding="ascii")
        draft.rename(workspace / _PINS)


def pinned(layout: Layout) -> set[Digest]:
    """Return all pinned digests. The caller holds the store's lock."""
    found: set[Digest] = set()
    with map_os_errors(f"cannot read {layout.tmp}"):
        names = os.listdir(layout.tmp) if layout.tmp.is_dir() else []
        for path in (layout.tmp / name for name in names if name.startswith(PINNING)):
            try:
                text = (path / _PINS).read_text(encoding="ascii")
            except (FileNotFoundError, NotADirectoryError):
                continue
            if is_owned(path):
                found.update(Digest(line) for line in text.splitlines())
    return found
