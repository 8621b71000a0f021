# SPDX-License-Identifier: MIT
"""The errors that this package raises, grouped by who can fix them.

::

    SandboxError
    ├── UsageError                  the caller: bad flag, bad value
    │   └── ReferenceSyntaxError    a name that is not an image reference
    ├── NotFound                    the caller: no such object
    │   ├── ImageNotFound
    │   │   └── OtherPlatform
    │   ├── ContainerNotFound
    │   └── NetworkNotFound
    ├── Conflict                    the caller: the state of an object forbids it
    ├── Detached                    nobody: the user detached, the container goes on
    ├── Unsupported                 this project: not implemented, or not possible
    ├── CorruptData                 the producer of the data
    │   └── DigestMismatch
    ├── StoreError                  the owner of the machine
    │   ├── StoreFull
    │   └── PermissionDenied
    ├── RegistryError               the operator of the registry or the network
    │   ├── AuthFailed              the caller: not logged in, or not allowed
    │   ├── TransportFailed         the network: no answer, or an incomplete one
    │   └── UploadRefused           the network, or the local blob is damaged
    ├── NativeError                 a system call failed; carries ``errno``
    └── RuntimeFailed               the container could not be run
        ├── CommandNotFound         exit code 127
        └── CommandNotExecutable    exit code 126

Rules: a message is one complete line. It starts with a lower-case word unless it quotes a name.
Code that prints it adds "Error: ". Foreign exceptions are converted where their meaning is known,
always with ``raise ... from``.
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
    """A failure that the user sees as one line, without a traceback."""

    exit_code: int = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        """Store the line that explains the failure."""
        super().__init__(message)
        self.message = message


class UsageError(SandboxError):
    """An invalid flag, name or value."""

    http_status = 400


class ReferenceSyntaxError(UsageError):
    """A string that is not an image reference."""


class NotFound(SandboxError):
    """An object that the user named does not exist."""

    http_status = 404


class ImageNotFound(NotFound):
    """No image has this name or id."""


class OtherPlatform(ImageNotFound):
    """The image is in the store, but for another platform."""


class ContainerNotFound(NotFound):
    """No container has this name or id."""


class NetworkNotFound(NotFound):
    """No network has this name or id."""


class Conflict(SandboxError):
    """The state of an object does not allow the change."""

    http_status = 409


class Detached(SandboxError):
    """The user typed the detach keys. Message and exit code are Docker's."""

    def __init__(self) -> None:
        """Set Docker's message."""
        super().__init__("read escape sequence")


class Unsupported(SandboxError):
    """A feature of Docker that this program does not have."""

    http_status = 501


class CorruptData(SandboxError):
    """An archive, blob or manifest that is damaged, contradictory or unsafe."""

    http_status = 400


class DigestMismatch(CorruptData):
    """Content whose digest or size differs from the expected one."""


class StoreError(SandboxError):
    """The store on disk cannot be used."""


class StoreFull(StoreError):
    """The disk or the quota is full."""


class PermissionDenied(StoreError):
    """A file of the store, or one that the user named, cannot be read or written."""


class RegistryError(SandboxError):
    """A registry answered with an error, or with something unexpected."""

    http_status = 502


class AuthFailed(RegistryError):
    """The registry does not accept the credentials, or requires some."""

    http_status = 401


class TransportFailed(RegistryError):
    """The registry sent no answer, or an incomplete one."""


class UploadRefused(RegistryError):
    """The registry received wrong data for a blob: the whole blob must be sent again."""


class NativeError(SandboxError):
    """A system call made by the C core failed."""

    def __init__(self, errno: int, message: str) -> None:
        """Store *errno*; the message is *message* with the text of *errno*."""
        super().__init__(f"{message}: {os.strerror(errno)}")
        self.errno = errno


class RuntimeFailed(SandboxError):
    """A container could not be created or started (Docker's exit code 125)."""

    exit_code = 125

    def __init__(self, message: str, *, exit_code: int | None = None) -> None:
        """Store the message, and the exit code if it is not the default of the class."""
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code


class CommandNotFound(RuntimeFailed):
    """The command to run is not in the image."""

    exit_code = 127
    http_status = 400


class CommandNotExecutable(RuntimeFailed):
    """The command to run exists, but cannot be executed."""

    exit_code = 126
    http_status = 400


def from_os_error(exc: OSError, *, doing: str) -> SandboxError:
    """Return an error for the user that says why *doing* failed."""
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    if exc.errno in _FULL:
        return StoreFull(f"{doing}: {reason}")
    if exc.errno in _FORBIDDEN:
        return PermissionDenied(f"{doing}: {reason}")
    return NativeError(exc.errno or _errno.EIO, doing)


@contextmanager
def map_os_errors(doing: str) -> Iterator[None]:
    """Convert an OSError of the block; *doing* describes the attempt in its message."""
    try:
        yield
    except OSError as exc:
        raise from_os_error(exc, doing=doing) from exc
