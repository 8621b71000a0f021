# SPDX-License-Identifier: MIT
"""Sessions with registries."""

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
def test_a_variable_forbids_connections(
    monkeypatch: pytest.MonkeyPatch, value: str, offline: bool
) -> None:
    monkeypatch.setenv("SANDBOX_OFFLINE", value)
    assert is_offline() == offline


def test_no_method_connects_to_a_registry_offline(engine: Store) -> None:
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


def test_a_reference_with_tag_and_digest_is_read_by_digest() -> None:
    digest = "sha256:" + "0" * 64
    assert tag_or_digest(parse_reference("debian:12")) == "12"
    assert tag_or_digest(parse_reference(f"debian:12@{digest}")) == digest
