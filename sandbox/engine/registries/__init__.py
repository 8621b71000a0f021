# SPDX-License-Identifier: MIT
"""`engine.registries`: log in, search, and look at images without pulling them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.registries.session import open_session, refuse_offline, tag_or_digest
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from sandbox.registry.client import RawManifest
    from sandbox.registry.credentials import Credentials
    from sandbox.store.layout import Layout


class Registries:
    """Requests to registries, with the user's credentials.

    Every method but `logout` raises `RegistryError` while ``SANDBOX_OFFLINE`` is set or if the
    registry gives no valid answer, and `AuthFailed` if the registry rejects the credentials.
    """

    def __init__(self, layout: Layout) -> None:
        """Read configurations that the store in *layout* has already from there."""
        self._layout = layout

    def login(self, domain: str | None, username: str, password: str) -> str:
        """Test a name and password and save them; return the place.

        *domain* is a registry such as ``ghcr.io``; None is Docker Hub.
        """
        from sandbox.registry.credentials import Credentials

        where = registry_name(domain)
        refuse_offline(where)
        session = open_session()
        credentials = Credentials(username, password)
        session.registry(where, credentials).check_login()
        return session.credentials.save(where, credentials)

    def check_login(self, domain: str | None, username: str, password: str) -> None:
        """Test a name and password without saving them."""
        from sandbox.registry.credentials import Credentials

        where = registry_name(domain)
        refuse_offline(where)
        open_session().registry(where, Credentials(username, password)).check_login()

    def logout(self, domain: str | None) -> bool:
        """Delete the credentials for a registry; False if there were none."""
        from sandbox.registry.credentials import CredentialStore

        return CredentialStore().erase(registry_name(domain))

    def search(self, term: str, *, limit: int = 25) -> list[dict[str, Any]]:
        """Return the repositories that a registry finds, in its own JSON.

        *term* is ``TERM`` for Docker Hub, or ``REGISTRY/TERM``.
        """
        domain, slash, rest = term.partition("/")
        if not slash or not ("." in domain or ":" in domain or domain == "localhost"):
            domain, rest = "docker.io", term
        refuse_offline(domain)
        session = open_session()
        if domain == "docker.io":
            domain = "index.docker.io"
        return session.registry(domain).search(rest, limit)

    def manifest(self, name: str) -> RawManifest:
        """Return the manifest or index with this name from its registry."""
        from sandbox.registry.session import read_manifest

        reference = parse_reference(name).with_default_tag()
        refuse_offline(name)
        return read_manifest(open_session().sources(reference), tag_or_digest(reference))

    def distribution(self, name: str, *, credentials: Credentials | None = None) -> dict[str, Any]:
        """Return the JSON of ``GET /distribution/NAME/json``: descriptor and platforms.

        *credentials* replace the user's own.
        """
        from sandbox.engine.registries.distribution import distribution

        reference = parse_reference(name).with_default_tag()
        refuse_offline(name)
        session = open_session(None if credentials is None else (reference.domain, credentials))
        return distribution(self._layout, session, reference)


def registry_name(text: str | None) -> str:
    """Return the registry that a user means with *text*.

    >>> registry_name(None), registry_name("https://r.example/v2/")
    ('docker.io', 'r.example')
    """
    from sandbox.registry.credentials import host_in

    return host_in(text) if text else "docker.io"
