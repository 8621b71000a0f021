# SPDX-License-Identifier: MIT
"""The errors this package raises on purpose, split by who can fix them.

::

    SandboxError
    ├── UsageError                  the caller: bad flag, bad value
    │   └── ReferenceSyntaxError    a name that is no image reference
    ├── NotFound                    the caller: no such object
    │   ├── ImageNotFound
    │   ├── ContainerNotFound
    │   └── NetworkNotFound
    ├── Conflict                    the caller: the state forbids it
    ├── Detached                    nobody: the user left, and what runs goes on
    ├── Unsupported                 us: not done (yet)
    ├── CorruptData                 whoever made the data
    │   └── DigestMismatch
    ├── StoreError                  the machine's owner
    │   ├── StoreFull
    │   └── PermissionDenied
    ├── RegistryError               whoever runs the registry, or the network
    │   ├── AuthFailed              the caller: not logged in, or not allowed
    │   ├── TransportFailed         the network: nothing came, or it broke off
    │   └── UploadRefused           the network, or the blob is damaged on this side
    ├── NativeError                 the kernel said no; carries ``errno``
    └── RuntimeFailed               the container could not be run
        ├── CommandNotFound         exit code 127
        └── CommandNotExecutable    exit code 126

Rules: a message is one line, complete, and starts with a lower-case word unless
it quotes a name; whoever prints it adds the "Error: ". Foreign exceptions are
converted where they are understood, always with ``raise ... from``.
"""

# ruff: noqa: N818  -- Docker's vocabulary (Conflict, NotFound) reads better bare

from __future__ import annotations

import errno as _errno
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator

_FULL = frozenset({_errno.ENOSPC, _errno.EDQUOT})
_FORBIDDEN = frozenset({_errno.EACCES, _errno.EPERM, _errno.EROFS})


class SandboxError(Exception):
    """Any failure that a user should read as one line, without a traceback."""

    exit_code: int = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        """Keep the one line that explains the failure."""
        super().__init__(message)
        self.message = message


class UsageError(SandboxError):
    """A flag, name or value that makes no sense."""

    http_status = 400


class ReferenceSyntaxError(UsageError):
    """A string that is no image reference."""


class NotFound(SandboxError):
    """Something named by the user does not exist."""

    http_status = 404


class ImageNotFound(NotFound):
    """No image has this name or id."""


class OtherPlatform(ImageNotFound):
    """The image is here, but for another kind of machine than asked for."""


class ContainerNotFound(NotFound):
    """No container has this name or id."""


class NetworkNotFound(NotFound):
    """No network has this name or id."""


class Conflict(SandboxError):
    """The present state of an object forbids the change."""

    http_status = 409


class Detached(SandboxError):
    """The user typed the keys that detach (Docker's words and exit code)."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("read escape sequence")


class Unsupported(SandboxError):
    """A thing Docker can do and this program cannot."""

    http_status = 501


class CorruptData(SandboxError):
    """An archive, blob or manifest that is broken, lies, or is unsafe to use."""

    http_status = 400


class DigestMismatch(CorruptData):
    """Content that is not what its digest or size promised."""


class StoreError(SandboxError):
    """The store on disk cannot be used as asked."""


class StoreFull(StoreError):
    """No space (or quota) is left for the store."""


class PermissionDenied(StoreError):
    """The store, or a file named by the user, may not be read or written."""


class RegistryError(SandboxError):
    """A registry answered, and not with what was asked for."""

    http_status = 502


class AuthFailed(RegistryError):
    """The registry wants other credentials than it was given."""

    http_status = 401


class TransportFailed(RegistryError):
    """No complete answer came from the registry."""


class UploadRefused(RegistryError):
    """What arrived of a blob is not what was announced: all of it must be sent again."""


class NativeError(SandboxError):
    """A system call made by the C core failed."""

    def __init__(self, errno: int, message: str) -> None:
        """Describe what was tried; the text of the errno is added."""
        super().__init__(f"{message}: {os.strerror(errno)}")
        self.errno = errno


class RuntimeFailed(SandboxError):
    """A container could not be created or started (Docker's exit code 125)."""

    exit_code = 125

    def __init__(self, message: str, *, exit_code: int | None = None) -> None:
        """Keep the message and, if given, another exit code than the family's."""
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code


class CommandNotFound(RuntimeFailed):
    """The command to run is not in the image."""

    exit_code = 127
    http_status = 400


class CommandNotExecutable(RuntimeFailed):
    """The command to run exists and cannot be executed."""

    exit_code = 126
    http_status = 400


def from_os_error(exc: OSError, *, doing: str) -> SandboxError:
    """Return the error that explains to a user why *doing* failed."""
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    if exc.errno in _FULL:
        return StoreFull(f"{doing}: {reason}")
    if exc.errno in _FORBIDDEN:
        return PermissionDenied(f"{doing}: {reason}")
    return NativeError(exc.errno or _errno.EIO, doing)


@contextmanager
def map_os_errors(doing: str) -> Iterator[None]:
    """Convert any OSError of the block; *doing* says what was being tried."""
    try:
        yield
    except OSError as exc:
        raise from_os_error(exc, doing=doing) from exc
