# SPDX-License-Identifier: MIT
"""What killed containers have left in memory, this store's and those of stores that are gone.

A store that exists looks after its own networks whenever they change (`network.membership`).
One that was deleted cannot: its register says which processes held its containers, and when
the last of those has ended as well, nobody will ever come back to the files.

Does not know: other stores that exist, whose files are left alone whatever is in them.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.runtime import rundir
from sandbox.runtime.network import members, membership
from sandbox.runtime.process.kill import kill_guests
from sandbox.store.atomic_files import remove_tree

if TYPE_CHECKING:
    from sandbox.store.layout import Layout


def sweep(layout: Layout) -> None:
    """Give back what containers had whose supervisor was killed; others' stores must be gone."""
    if os.path.isdir(members.directory_of(layout)):
        with membership.changing(layout):
            pass
    base = rundir.base_dir({})
    for name in os.listdir(base):
        directory = f"{base}/{name}"
        if name.startswith("net-") and members.is_abandoned(directory):
            _remove(directory)


def _remove(directory: str) -> None:
    for seat in members.Seats(directory):
        with suppress(SandboxError):  # the control file is damaged
            kill_guests(seat.run_dir)
        remove_tree(Path(seat.run_dir))
        remove_tree(Path(rundir.RunDir(seat.run_dir).socket))
    remove_tree(Path(directory))
