# SPDX-License-Identifier: MIT
"""No connection is made while the user forbids it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.engine.registries.session import is_offline, refuse_offline, tag_or_digest
from sandbox.errors import ImageNotFound, RegistryError
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.store import Store


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_the_variable_says_whether_connections_are_forbidden(
    monkeypatch: pytest.MonkeyPatch, value: str, offline: bool
) -> None:
    monkeypatch.setenv("SANDBOX_OFFLINE", value)
    assert is_offline() == offline


def test_everything_that_needs_a_registry_is_refused_offline(engine: Store) -> None:
    asks: list[Callable[[], Any]] = [
        lambda: refuse_offline("r.example"),
        lambda: engine.registries.login(None, "user", "word"),
        lambda: engine.registries.check_login("r.example", "user", "word"),
        lambda: engine.registries.search("debian"),
        lambda: engine.registries.manifest("debian"),
        lambda: engine.registries.distribution("debian"),
        lambda: engine.manifests.create("list:1", ["debian"], amend=False),
    ]
    for ask in asks:
        with pytest.raises(RegistryError, match="no connection is made"):
            ask()
    with pytest.raises(ImageNotFound, match="debian:latest is not in the store"):
        engine.images.pull("debian")


def test_a_digest_is_asked_for_before_a_tag() -> None:
    digest = "sha256:" + "0" * 64
    assert tag_or_digest(parse_reference("debian:12")) == "12"
    assert tag_or_digest(parse_reference(f"debian:12@{digest}")) == digest
