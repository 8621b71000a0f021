# SPDX-License-Identifier: MIT
"""The registries of one command, with settings, credentials and tokens that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from sandbox.errors import NotFound, RegistryError, SandboxError
from sandbox.registry.client import Registry
from sandbox.registry.config import Settings, endpoints, read_settings
from sandbox.registry.credentials import CredentialStore
from sandbox.registry.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.reference import Reference
    from sandbox.registry.client import RawManifest, Repository
    from sandbox.registry.config import Endpoint
    from sandbox.registry.credentials import Credentials

_T = TypeVar("_T")


class Session:
    """The registries of one command."""

    def __init__(
        self, settings: Settings | None = None, credentials: CredentialStore | None = None
    ) -> None:
        self.settings = settings or read_settings()
        self.transport = Transport(self.settings)
        self.credentials = credentials or CredentialStore()
        self._registries: dict[Endpoint | str, Registry] = {}

    def sources(self, reference: Reference) -> list[Repository]:
        """Return the repositories to pull an image from: mirrors first, then its registry."""
        places = endpoints(self.settings, reference.domain, mirrors=True)
        return [self._registry(place).repository(reference.path) for place in places]

    def target(self, reference: Reference) -> Repository:
        """Return the repository of an image in its own registry, to push to."""
        return self.registry(reference.domain).repository(reference.path)

    def registry(self, domain: str, credentials: Credentials | None = None) -> Registry:
        """Return a registry, not a mirror of it. *credentials* replace those of the user."""
        [place] = endpoints(self.settings, domain, mirrors=False)
        if credentials is not None:
            return Registry(place, self.transport, credentials)
        return self._registry(place)

    def _registry(self, place: Endpoint) -> Registry:
        key = f"{place.scheme}://{place.host}/{place.prefix}"
        if key not in self._registries:
            known = self.credentials.find(place.domain)
            self._registries[key] = Registry(place, self.transport, known)
        return self._registries[key]


def first_answer(
    sources: Sequence[Repository], ask: Callable[[Repository], _T]
) -> tuple[Repository, _T]:
    """Return the first source for which *ask* succeeds, and its answer.

    Raises the last source's error if all fail.
    """
    failure: SandboxError | None = None
    for source in sources:
        try:
            return source, ask(source)
        except (RegistryError, NotFound) as exc:
            failure = exc
    assert failure is not None
    raise failure


def read_manifest(sources: Sequence[Repository], name: str) -> RawManifest:
    """Return the manifest with this tag or digest from the first source that has it."""
    return first_answer(sources, lambda source: source.manifest(name))[1]
