# SPDX-License-Identifier: MIT
"""Read and write lockfiles (`models.lockfile` has the format)."""

from __future__ import annotations

import os
import tempfile
from typing import TYPE_CHECKING

from sandbox.errors import UsageError, map_os_errors
from sandbox.models.lockfile import Lockfile, lockfile_bytes, parse_lockfile
from sandbox.store.lock import acquire

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.models.digest import Digest
    from sandbox.models.reference import Reference

_LIMIT = 8 * 1024 * 1024


def chosen_lockfile(path: str | None, *, strict: bool) -> Lockfile | None:
    """Return the lockfile that ``--lockfile`` and ``--locked`` mean, if any."""
    if path is None:
        if strict:
            raise UsageError("--locked needs --lockfile FILE")
        return None
    with map_os_errors(f"cannot read {path}"), open(path, "rb") as file:
        return parse_lockfile(file.read(_LIMIT), path, strict=strict)


def check_lockfile(path: str) -> None:
    """Raise an error if `lock_images` could not add to the file."""
    _present(path)


def lock_images(path: str, images: Iterable[tuple[Reference, Digest]]) -> None:
    """Write the digests of these names; other names stay as they are."""
    real = os.path.realpath(path)
    with map_os_errors(f"cannot write {path}"):
        folder = os.open(os.path.dirname(real), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            acquire(folder)  # concurrent pulls keep each other's lines
            lockfile = _present(path)
            for reference, digest in images:
                lockfile = lockfile.with_digest(reference, digest)
            _replace(real, lockfile_bytes(lockfile))
        finally:
            os.close(folder)


def _present(path: str) -> Lockfile:
    try:
        file = open(path, "rb")  # noqa: SIM115 - closed below
    except FileNotFoundError:
        return Lockfile(path)
    except OSError:
        with map_os_errors(f"cannot read {path}"):
            raise
    with file:
        return parse_lockfile(file.read(_LIMIT), path)


def _replace(path: str, data: bytes) -> None:
    mode = os.stat(path).st_mode & 0o777 if os.path.exists(path) else 0o644
    fd, name = tempfile.mkstemp(prefix=".sandbox-lock-", dir=os.path.dirname(path))
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            os.fchmod(file.fileno(), mode)
        os.rename(name, path)
    except BaseException:
        os.unlink(name)
        raise
