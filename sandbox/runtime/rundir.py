# SPDX-License-Identifier: MIT
"""The directory that exists only while a container runs.

It holds the control file, the shared file (memory of all processes of the container), the
links by which the kernel executes the guest runtime, the trace, and the directories of
/dev/shm and of tmpfs mounts.

Rules: it lies in memory where possible and is private to its owner. The container's id leads
to it. Its removal never follows a symbolic link. Guests may write no name in the directory
itself, and only those files in it that csrc/entry/landlock.c names: the host side believes the
rest. Where another user has taken the usual name in a directory that all users share, the base
gets a name that cannot be foreseen, and is found by its owner.

Does not know: what the files contain.
"""

from __future__ import annotations

import os
import stat
from _thread import get_native_id
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed, map_os_errors
from sandbox.models.record import Record
from sandbox.store.atomic_files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_OWNER_MARK = "."
_MEMORY = "/dev/shm"  # noqa: S108 - every directory there is checked for its owner
_MISSING = "does not exist"
_SOMEBODY = "belongs to somebody else"


class RunDir(Record, frozen=True):
    """Names inside a run directory, and the fence around the run (`confinement.Fence`)."""

    path: str
    landlock: int = 0
    seccomp: bool = False

    @property
    def control(self) -> str:
        """Return the path of the control file, which guests only read."""
        return f"{self.path}/control"

    @property
    def aliases(self) -> str:
        """Return the directory in which guests make short names for long paths of sockets."""
        return f"{self.path}/a"

    @property
    def guest(self) -> str:
        """Return the link to the guest runtime."""
        return f"{self.path}/guest"

    @property
    def trace(self) -> str:
        """Return the file that ``--trace`` follows."""
        return f"{self.path}/trace"

    @property
    def connections(self) -> str:
        """Return the file in which guests record connections, for ``--network-log``."""
        return f"{self.path}/connections"

    @property
    def shm(self) -> str:
        """Return the directory behind the container's /dev/shm."""
        return f"{self.path}/shm"

    @property
    def dev(self) -> str:
        """Return the directory behind the container's /dev."""
        return f"{self.path}/dev"

    @property
    def etc(self) -> str:
        """Return the directory of the files laid over /etc."""
        return f"{self.path}/etc"

    @property
    def nothing(self) -> str:
        """Return the empty directory that hides the store from the image `host`."""
        return f"{self.path}/nothing"

    @property
    def stand_ins(self) -> str:
        """Return the tree of stand-ins for the machine's unreadable files."""
        return f"{self.path}/stand-ins"

    @property
    def cgroup(self) -> str:
        """Return the link to the cgroup of the run, if it has one."""
        return f"{self.path}/cgroup"

    def tmpfs(self, number: int) -> str:
        """Return the directory behind the tmpfs mount with this number."""
        return f"{self.path}/tmpfs-{number}"  # noqa: S108 - our own name

    @property
    def socket(self) -> str:
        """Return the supervisor's socket, which outlives one run."""
        return f"{self.path}.sock"

    def enter(self, number: int) -> str:
        """Return the link whose execution starts the process of this entry."""
        return f"{self.path}/enter-{number}"


def candidates(env: Mapping[str, str], uid: int) -> Iterator[str]:
    """Yield the places for run directories, best first."""
    for usual, is_shared in _places(env, uid):
        yield usual
        if is_shared:
            yield from _unpredictable(usual)


def _places(env: Mapping[str, str], uid: int) -> Iterator[tuple[str, bool]]:
    """Yield the usual places, and whether every user may make files beside them."""
    runtime_dir = env.get("XDG_RUNTIME_DIR", "")
    if runtime_dir.startswith("/"):
        yield f"{runtime_dir}/sandbox", False
    yield f"{_MEMORY}/sandbox-{uid}", True
    yield f"{env.get('TMPDIR') or '/tmp'}/sandbox-{uid}", True  # noqa: S108 - checked below


def _unpredictable(usual: str) -> list[str]:
    """Return this user's directories beside a usual place that another user took, sorted."""
    root, name = os.path.split(usual)
    try:
        names = sorted(item for item in os.listdir(root) if item.startswith(f"{name}-"))
    except OSError:
        return []
    return [path for item in names if _distrust(path := f"{root}/{item}") is None]


def create(container_id: str, env: Mapping[str, str]) -> RunDir:
    """Make a fresh run directory for the container."""
    # A directory that exists was left by a killed supervisor.
    return _make(f"{base_dir(env)}/{container_id[:12]}")


def create_passing(container_id: str, env: Mapping[str, str]) -> RunDir:
    """Make a run directory for this process alone, beside that of a running container."""
    base = base_dir(env)
    for name in os.listdir(base):
        owner = name.partition(_OWNER_MARK)[2]
        if owner.isdecimal() and not os.path.exists(f"/proc/{owner}"):
            remove(f"{base}/{name}")
    return _make(f"{base}/{container_id[:12]}{_OWNER_MARK}{get_native_id()}")


def _make(path: str) -> RunDir:
    run_dir = RunDir(path)
    remove(path)
    with map_os_errors(f"cannot make {path}"):
        os.mkdir(path, 0o700)
        for inner, mode in (
            (run_dir.dev, 0o755),
            (run_dir.shm, 0o1777),
            (run_dir.nothing, 0o755),
            (run_dir.aliases, 0o700),
        ):
            os.mkdir(inner, 0o700)
            os.chmod(inner, mode)
    return run_dir


def remains(container_id: str, env: Mapping[str, str]) -> Iterator[RunDir]:
    """Yield the run directories that the container uses or left behind."""
    for base in bases(env):
        path = f"{base}/{container_id[:12]}"
        if os.path.isdir(path) or os.path.lexists(f"{path}.sock"):
            yield RunDir(path)


def bases(env: Mapping[str, str]) -> Iterator[str]:
    """Yield the places for run directories that are this user's."""
    return (base for base in candidates(env, os.getuid()) if _distrust(base) is None)


def socket_path(container_id: str, env: Mapping[str, str]) -> str:
    """Return the path of the supervisor's socket, beside the run directory."""
    return RunDir(f"{base_dir(env)}/{container_id[:12]}").socket


def base_dir(env: Mapping[str, str]) -> str:
    """Return the directory of this user's run directories; make it if it is missing."""
    tried = []
    for usual, is_shared in _places(env, os.getuid()):
        problem = _distrust(usual)
        if problem is not None and is_shared:
            others = _unpredictable(usual)
            if others:
                return others[0]
        if problem == _MISSING:
            problem = _make_base(usual)
        elif problem == _SOMEBODY and is_shared:
            import tempfile  # it is large, and this is rare

            with suppress(OSError):
                tempfile.mkdtemp(prefix=f"{os.path.basename(usual)}-", dir=os.path.dirname(usual))
            # Of two commands at the same time, both take the first one.
            others = _unpredictable(usual)
            if others:
                return others[0]
        if problem is None:
            return usual
        tried.append(f"{usual}: {problem}")
    raise RuntimeFailed("no place for run-time files: " + "; ".join(tried))


def _make_base(path: str) -> str | None:
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        pass
    except OSError as exc:
        return os.strerror(exc.errno or 0)
    return _distrust(path)


def _distrust(path: str) -> str | None:
    """Return why the directory must not be used, or None."""
    try:
        status = os.lstat(path)
    except OSError:
        return _MISSING
    if status.st_uid != os.getuid():
        return _SOMEBODY
    if not stat.S_ISDIR(status.st_mode):
        return "not a directory"
    if status.st_mode & 0o077:
        return "is open to other users"
    if not os.access(path, os.W_OK | os.X_OK):
        return "is not writable"
    return None


def link_guest(run_dir: RunDir, guest: str) -> None:
    """Point the run directory at the guest runtime to execute."""
    os.symlink(guest, run_dir.guest)


def link_entry(run_dir: RunDir, number: int) -> str:
    """Return the path to execute for the entry with this number."""
    path = run_dir.enter(number)
    try:
        os.symlink("guest", path)
    except FileExistsError:
        pass  # made for an earlier entry: all these links are the same
    except FileNotFoundError:
        raise RuntimeFailed("the container has just ended") from None
    return path


def remove(path: str) -> None:
    """Delete a run directory; an absent one is no error."""
    with map_os_errors(f"cannot remove {path}"):
        remove_tree(Path(path))
