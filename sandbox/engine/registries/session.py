# SPDX-License-Identifier: MIT
"""Sessions with registries; none while the user forbids connections."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import RegistryError

if TYPE_CHECKING:
    from sandbox.models.reference import Reference
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.session import Session


def silent(name: str, status: str, done: int = 0, total: int = 0) -> None:
    """Ignore progress."""


def is_offline() -> bool:
    """Return whether the user forbids all connections."""
    return os.environ.get("SANDBOX_OFFLINE", "") not in ("", "0")


def refuse_offline(name: str) -> None:
    """Raise `RegistryError` if the user forbids all connections."""
    if is_offline():
        raise RegistryError(f"{name}: no connection is made while SANDBOX_OFFLINE is set")


def open_session(identity: tuple[str, Credentials] | None = None) -> Session:
    """Return a session with the user's settings.

    *identity* is a registry and the credentials for it, which replace the user's own.
    """
    from sandbox.registry.credentials import CredentialStore, OverriddenCredentials
    from sandbox.registry.session import Session

    known = CredentialStore() if identity is None else OverriddenCredentials(*identity)
    return Session(credentials=known)


def tag_or_digest(reference: Reference) -> str:
    """Return the digest of a reference, or its tag if it has none."""
    return str(reference.digest) if reference.digest is not None else str(reference.tag)
