# SPDX-License-Identifier: MIT
"""The System V objects and the /dev/shm of containers: whose they are, and when they go.

How it works: a *space* is a directory beside the run directories. Its name holds the prefix of
the keys of its objects, so no two spaces have the same. Its members are the containers that use
it: the one that made it, and those with ``--ipc container:ID``. The process that runs a member
holds a shared lock until the end. Who gets the lock for itself alone removes the space, its
objects, and guests whose supervisor was killed.

Rules: guests write the table of a space and its shm, and nothing else in it. An object is removed
only if the kernel says that its key has the prefix (`native.ipc`).

Does not know: what guests write into the table.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import NativeError, RuntimeFailed, map_os_errors
from sandbox.models.record import Record
from sandbox.models.security import HOST, SHAREABLE
from sandbox.native import ipc
from sandbox.runtime.process.kill import kill_guests
from sandbox.store.atomic_files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.container import ContainerConfig
    from sandbox.runtime.rundir import RunDir

_NAME = "ipc-"
_LINK = "ipc"
_TRIES = 100
_MODE_OF_SHM = 0o1777


class Space(Record, frozen=True):
    """A space of System V objects; without a *path* the machine's own objects are used."""

    path: str = ""

    @property
    def prefix(self) -> int:
        """Return the upper 20 bits of the keys of its objects."""
        return int(os.path.basename(self.path).removeprefix(_NAME), 16) if self.path else 0

    @property
    def table(self) -> str:
        """Return the file that guests map, or ""."""
        return f"{self.path}/table" if self.path else ""

    @property
    def shm(self) -> str:
        """Return the directory behind a /dev/shm that containers share, which may be missing."""
        return f"{self.path}/shm" if self.path else ""

    @property
    def lock(self) -> str:
        """Return the file whose lock its members hold."""
        return f"{self.path}/lock"

    @property
    def members(self) -> str:
        """Return the directory with a link to the run directory of each member."""
        return f"{self.path}/members"


@contextmanager
def joined(config: ContainerConfig, run_dir: RunDir) -> Iterator[Space]:
    """Give the space of a container that is about to run, and leave it after the run."""
    if config.namespaces.ipc == HOST:
        yield Space()
        return
    base = os.path.dirname(run_dir.path)
    sweep(base)
    donor = config.namespaces.ipc_donor
    space, held = _join(base, donor) if donor else _make(base)
    try:
        with map_os_errors(f"cannot use {space.path}"):
            os.symlink(run_dir.path, f"{space.members}/{config.id[:12]}")
            if config.namespaces.ipc == SHAREABLE:
                os.mkdir(space.shm, 0o700)
                os.chmod(space.shm, _MODE_OF_SHM)
            os.symlink(space.path, f"{run_dir.path}/{_LINK}")
        yield space
    finally:
        with suppress(OSError):
            os.unlink(f"{space.members}/{config.id[:12]}")
        os.close(held)
        _remove_unused(space)


def _make(base: str) -> tuple[Space, int]:
    for _ in range(_TRIES):
        space = Space(f"{base}/{_NAME}{_random_prefix():05x}")
        if ipc.count(space.prefix):
            continue
        with suppress(FileExistsError), map_os_errors(f"cannot make {space.path}"):
            os.mkdir(space.path, 0o700)
            os.mkdir(space.members, 0o700)
            held = _hold(space)
            if held is not None:
                ipc.make_table(space.table)
                return space, held
    raise RuntimeFailed("no keys for System V objects are free")


def _random_prefix() -> int:
    return ipc.FIRST_PREFIX + int.from_bytes(os.urandom(4), "big") % ipc.PREFIXES


def _join(base: str, donor: str) -> tuple[Space, int]:
    head = f"failed to join IPC namespace: container {donor}"
    try:
        space = Space(os.readlink(f"{base}/{donor[:12]}/{_LINK}"))
        held = _hold(space)
    except OSError:
        raise RuntimeFailed(f"{head} is not running") from None
    if held is None or not os.path.isdir(space.shm):
        if held is not None:
            os.close(held)
        raise RuntimeFailed(
            f"{head}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
        )
    return space, held


def _hold(space: Space) -> int | None:
    """Return the open lock of a space; None if somebody has just removed the space."""
    held = os.open(space.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    fcntl.flock(held, fcntl.LOCK_SH)
    with suppress(FileNotFoundError):
        if os.path.samestat(os.fstat(held), os.stat(space.lock)):
            return held
    os.close(held)
    return None


def sweep(base: str) -> None:
    """Remove the spaces beside run directories that nobody holds, and the guests left in them."""
    with suppress(OSError):
        for name in os.listdir(base):
            if name.startswith(_NAME):
                _remove_unused(Space(f"{base}/{name}"))


def _remove_unused(space: Space) -> None:
    try:
        held = os.open(space.lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for run_dir in _left(space):
            with suppress(NativeError):
                kill_guests(run_dir)
        ipc.remove(space.prefix)
        remove_tree(Path(space.path))
    except BlockingIOError:
        return
    finally:
        os.close(held)


def _left(space: Space) -> list[str]:
    """Return the run directories that members with a killed supervisor have left.

    A later run of the same container has a space of its own.
    """
    found = []
    with suppress(OSError):
        for name in os.listdir(space.members):
            run_dir = os.readlink(f"{space.members}/{name}")
            with suppress(OSError):
                if os.readlink(f"{run_dir}/{_LINK}") == space.path:
                    found.append(run_dir)
    return found
