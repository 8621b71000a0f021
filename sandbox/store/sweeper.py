# SPDX-License-Identifier: MIT
"""The process that deletes removed trees (`removed_trees`) in the background.

Does not know: what they were.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sandbox.store.atomic_files import remove_tree
from sandbox.store.layout import Layout
from sandbox.store.removed_trees import take_lock, waiting

_NICE = 10


def sweep(layout: Layout) -> None:
    """Delete the trees; return at once if another process does."""
    failed: set[Path] = set()
    while set(waiting(layout)) - failed:
        lock = take_lock(layout)
        if lock is None:
            return
        try:
            for tree in waiting(layout):
                try:
                    remove_tree(tree)
                except OSError:
                    failed.add(tree)
        finally:
            os.close(lock)


def main() -> None:
    """Sweep the store that the command line names, in the background."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")
    os.nice(_NICE)
    sweep(Layout(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
