# SPDX-License-Identifier: MIT
"""``RUN --mount``: each becomes a mount of the container while the command runs.

How it works: a secret is a file in memory, beside the run directories. A cache mount is a
directory of the store under a lock. A bind from a stage is a copy, or the file itself if it
is one file. A writable bind is a copy whose changes are discarded.

Rules: no secret is ever written into the store.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import posixpath
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import HostView, clean, join, resolve, walk
from sandbox.dockerfile.instructions import Mount, MountKind, Sharing
from sandbox.errors import map_os_errors
from sandbox.models.container import MountPoint
from sandbox.runtime import rundir, volume_owners
from sandbox.store import build_cache
from sandbox.store.lock import acquire

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from sandbox.builder.file_views import View
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.workspace import Workspace

_SECRETS = "/run/secrets"
_AGENT = "/run/buildkit/ssh_agent.{}"


class Sources(Protocol):
    """Resolves ``from=``."""

    def view(self, name: str, stack: ExitStack) -> View:
        """Return the files of a stage, image, or context; "" is the build's context."""


@dataclass
class Mounted:
    """The mounts of one RUN, and the variables that belong to them."""

    points: list[MountPoint]
    env: list[str]


class MountMaker:
    """Makes the mounts of one RUN; closing *stack* removes them."""

    def __init__(
        self,
        shop: Workspace,
        request: BuildRequest,
        sources: Sources,
        stack: ExitStack,
        workdir: str,
    ) -> None:
        """Resolve relative targets from *workdir*."""
        self._shop = shop
        self._request = request
        self._sources = sources
        self._stack = stack
        self._workdir = workdir
        self._memory = ""
        self._agents = 0
        self.result = Mounted([], [])

    def add(self, mount: Mount) -> None:
        """Make one mount."""
        makers = {
            MountKind.BIND: self._bind,
            MountKind.CACHE: self._cache,
            MountKind.TMPFS: self._tmpfs,
            MountKind.SECRET: self._secret,
            MountKind.SSH: self._ssh,
        }
        makers[mount.kind](mount)

    def _target(self, path: str) -> str:
        full = posixpath.normpath(posixpath.join("/", self._workdir, path))
        if full == "/":
            raise StepFailed("invalid mount target '/'")
        return full

    def _tmpfs(self, mount: Mount) -> None:
        self.result.points.append(
            MountPoint(
                "tmpfs", self._target(mount.target), size=mount.size or None, mode=mount.mode
            )
        )

    # ---- bind --------------------------------------------------------------------------------

    def _bind(self, mount: Mount) -> None:
        view = self._sources.view(mount.from_, self._stack)
        path = resolve(view, clean(mount.source or "/"))
        fact = view.fact(path)
        if fact is None:
            raise StepFailed(
                "failed to compute cache key: failed to calculate checksum of ref: "
                f'"/{os.fsdecode(path)}": not found'
            )
        target = self._target(mount.target)
        if not (mount.read_only and isinstance(view, HostView) and view.is_whole):
            self._copied(view, path, target, read_only=mount.read_only)
            return
        # Another container may have the context, too, and exchange a directory for a symlink.
        source = os.path.join(view.root, os.fsdecode(path))
        point = MountPoint("bind", target, source, read_only=True, within=view.root)
        self.result.points.append(point)

    def _copied(self, view: View, path: bytes, target: str, *, read_only: bool) -> None:
        folder = self._shop.folder("bind")
        self._stack.callback(shutil.rmtree, folder, ignore_errors=True)
        base = folder / build_cache.DATA
        facts = copy_out(view, path, os.fsencode(base))
        point = MountPoint("volume", target, os.fspath(base), copy=False, name="bind")
        volume_owners.write(point, facts)
        # Only a writable mount can have owners; changes to the copy are discarded.
        read_only = read_only and not (folder / "owners.jsonl").exists()
        self.result.points.append(
            MountPoint(
                "volume", target, os.fspath(base), read_only=read_only, copy=False, name="bind"
            )
        )

    # ---- cache -------------------------------------------------------------------------------

    def _cache(self, mount: Mount) -> None:
        target = self._target(mount.target)
        identity = mount.id or target
        origin = f"{mount.from_}\0{mount.source}" if mount.from_ else ""
        path, lock = self._lock_cache(identity, origin, mount.sharing)
        self._stack.callback(os.close, lock)
        data = path / build_cache.DATA
        if not data.exists():
            self._fill_cache(mount, data, target)
        self.result.points.append(
            MountPoint(
                "volume", target, os.fspath(data), read_only=mount.read_only, copy=False,
                name="cache",
            )
        )  # fmt: skip

    def _lock_cache(self, identity: str, origin: str, sharing: Sharing) -> tuple[Path, int]:
        layout = self._shop.layout
        number = 0
        while True:
            text = f"{identity}\0{origin}\0{number}"
            name = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
            path = build_cache.open_mount(layout, name, identity)
            fd = build_cache.mount_lock(path)
            if sharing is Sharing.PRIVATE and not acquire(fd, wait=False):
                os.close(fd)
                number += 1
                continue
            if sharing is Sharing.LOCKED:
                acquire(fd)
            elif sharing is Sharing.SHARED:
                fcntl.flock(fd, fcntl.LOCK_SH)
            if not path.is_dir():  # pruned before the lock was taken
                os.close(fd)
                continue
            return path, fd

    def _fill_cache(self, mount: Mount, data: Path, target: str) -> None:
        facts: list[tuple[bytes, int, int, int]] = []
        if mount.from_:
            view = self._sources.view(mount.from_, self._stack)
            facts = copy_out(view, resolve(view, clean(mount.source or "/")), os.fsencode(data))
        else:
            with map_os_errors("cannot make a cache mount"):
                os.makedirs(data, 0o755, exist_ok=True)
        facts = [fact for fact in facts if fact[0]]
        mode = 0o755 if mount.mode is None else mount.mode
        facts.append((b"", mount.uid or 0, mount.gid or 0, mode))
        volume_owners.write(MountPoint("volume", target, os.fspath(data)), facts)

    # ---- secret, ssh -------------------------------------------------------------------------

    def _secret(self, mount: Mount) -> None:
        name = mount.id or posixpath.basename(mount.target)
        found = next((item for item in self._request.secrets if item.id == name), None)
        if found is None:
            if mount.required:
                raise StepFailed(f"secret {name}: not found")
            return
        value = found.value
        if value is None:
            with map_os_errors(f"cannot read the secret {name}"), open(found.path, "rb") as file:
                value = file.read()
        if mount.env:
            text = value.decode("utf-8", "surrogateescape")
            self.result.env.append(f"{mount.env}={text}")
            if not mount.target:
                return
        target = posixpath.join(_SECRETS, mount.target or name)
        folder = f"{self._in_memory()}/secret-{len(self.result.points)}"
        path = f"{folder}/{build_cache.DATA}"
        mode = 0o400 if mount.mode is None else mount.mode
        with map_os_errors("cannot hand over a secret"):
            os.mkdir(folder, 0o700)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(value)
        # A volume has the requested owner and mode; changes to it are discarded.
        point = MountPoint("volume", target, path, copy=False, name="secret")
        volume_owners.write(point, [(b"", mount.uid or 0, mount.gid or 0, mode)])
        self.result.points.append(point)

    def _in_memory(self) -> str:
        if not self._memory:
            self._memory = rundir.create_passing(os.urandom(8).hex(), os.environ).path
            self._stack.callback(rundir.remove, self._memory)
        return self._memory

    def _ssh(self, mount: Mount) -> None:
        name = mount.id or "default"
        found = next((item for item in self._request.ssh if item.id == name), None)
        if found is None:
            if mount.required:
                raise StepFailed(f"ssh agent {name}: not found: forward it with --ssh {name}")
            return
        target = self._target(mount.target) if mount.target else _AGENT.format(self._agents)
        self._agents += 1
        if not os.path.exists(found.socket):
            raise StepFailed(f"ssh agent {name}: {found.socket} does not exist")
        self.result.points.append(
            MountPoint("bind", target, found.socket, uid=mount.uid, gid=mount.gid)
        )
        self.result.env.append(f"SSH_AUTH_SOCK={target}")


def copy_out(view: View, path: bytes, base: bytes) -> list[tuple[bytes, int, int, int]]:
    """Copy *path* and its content to the host; return (name, uid, gid, mode) of each file."""
    facts = []
    with map_os_errors("cannot copy the files of a mount"):
        for name, fact in walk(view, path):
            full = base + b"/" + name if name else base
            if fact.kind == "d":
                os.mkdir(full, 0o700 | fact.mode & 0o777)
            elif fact.kind == "l":
                os.symlink(fact.link, full)
            elif fact.kind == "f":
                with view.open(join(path, name) if name else path) as source:
                    _write(source, full, fact.mode)
            else:
                continue
            os.utime(full, ns=(fact.mtime_ns, fact.mtime_ns), follow_symlinks=False)
            facts.append((name, fact.uid, fact.gid, fact.mode))
    return facts


def _write(source: BinaryIO, full: bytes, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(full, flags, 0o600), "wb") as sink:
        shutil.copyfileobj(source, sink, 1024 * 1024)
        os.fchmod(sink.fileno(), 0o600 | mode & 0o777)


def identity_of(mount: Mount, digest: str) -> list[object]:
    """Return a mount's part of its step's key; *digest* is that of the bound content."""
    return [
        mount.kind.value, mount.target, mount.source, mount.read_only, mount.id,
        mount.sharing.value if mount.kind is MountKind.CACHE else "",
        mount.size, mount.mode, mount.uid, mount.gid, mount.env or "", digest,
    ]  # fmt: skip
