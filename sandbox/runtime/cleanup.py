# SPDX-License-Identifier: MIT
"""Remove what killed containers left in memory, of this store and of deleted stores.

An existing store cleans up at each change of its networks (`network.membership`). A deleted
store cannot. Its register names the processes that held its containers; once all of them
have ended, its files have no user.

Does not know: other existing stores. Their files stay, whatever they hold.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.runtime import ipc, rundir
from sandbox.runtime.network import members, membership
from sandbox.runtime.process.kill import kill_guests
from sandbox.store.atomic_files import remove_tree

if TYPE_CHECKING:
    from sandbox.store.layout import Layout


def sweep(layout: Layout) -> None:
    """Release what containers of killed supervisors held, here and in deleted stores."""
    if os.path.isdir(members.directory_of(layout)):
        with membership.changing(layout):
            pass
    base = rundir.base_dir({})
    for name in os.listdir(base):
        directory = f"{base}/{name}"
        if name.startswith("net-") and members.is_abandoned(directory):
            _remove(directory)
    for place in rundir.bases(os.environ):
        ipc.sweep(place)


def _remove(directory: str) -> None:
    for member in members.MemberRegister(directory):
        with suppress(SandboxError):  # the control file is damaged
            kill_guests(member.run_dir)
        remove_tree(Path(member.run_dir))
        remove_tree(Path(rundir.RunDir(member.run_dir).socket))
    remove_tree(Path(directory))
