# SPDX-License-Identifier: MIT
"""The build cache, and its prune."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.builder.request import BuildRequest
from sandbox.errors import UsageError

if TYPE_CHECKING:
    import pathlib

    from tests.harness.store import Store


@pytest.fixture
def context(tmp_path: pathlib.Path) -> str:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "a").write_text("1")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    return str(folder)


def test_the_cache_of_an_image_s_steps_is_pruned_only_with_all(engine: Store, context: str) -> None:
    result = engine.builds.build(BuildRequest(context=context, tags=("made:1",)))
    assert engine.images.get("made:1").id == result.image_id
    assert engine.builds.prune().builds == []  # the image needs them
    pruned = engine.builds.prune(everything=True)
    assert pruned.builds
    assert engine.images.get("made:1").id == result.image_id


def test_a_prune_keeps_the_wanted_bytes_and_young_entries(engine: Store, context: str) -> None:
    engine.builds.build(BuildRequest(context=context))
    assert engine.builds.prune(everything=True, keep=1 << 30).builds == []
    assert engine.builds.prune(everything=True, filters=["until=1h"]).builds == []
    assert engine.builds.prune(everything=True, filters=["unused-for=0s"]).builds


def test_an_unknown_filter_of_a_prune_is_refused(engine: Store) -> None:
    with pytest.raises(UsageError, match="invalid filter 'odd'"):
        engine.builds.prune(filters=["odd=1"])


def test_a_prune_does_not_make_the_store(engine: Store) -> None:
    assert engine.builds.prune(everything=True).builds == []
    assert not engine.layout.root.exists()
