# SPDX-License-Identifier: MIT
"""Docker's rules for the destination of a copy."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.copy import copy_target
from sandbox.errors import SandboxError

# source, is it a directory, target, kind of target, the target's parent; result
CASES = [
    ("/a/f", False, "/d/new", None, True, "/d/new"),
    ("/a/f", False, "/d/old", False, True, "/d/old"),
    ("/a/f", False, "/d", True, True, "/d/f"),
    ("/a/f", False, "/d/", True, True, "/d/f"),
    ("/a/s", True, "/d/new", None, True, "/d/new"),
    ("/a/s", True, "/d/new/", None, True, "/d/new"),
    ("/a/s", True, "/d", True, True, "/d/s"),
    ("/a/s/", True, "/d", True, True, "/d/s"),
    ("/a/s/.", True, "/d", True, True, "/d"),
    ("/a/s/.", True, "/d/new", None, True, "/d/new"),
    (".", True, "/d", True, True, "/d"),
    ("/", True, "/d", True, True, "/d"),
]


@pytest.mark.parametrize(("source", "is_dir", "target", "kind", "parent", "result"), CASES)
def test_the_destination_follows_docker_s_rules(
    source: str, is_dir: bool, target: str, kind: bool | None, parent: bool, result: str
) -> None:
    path = copy_target(
        source, target, source_is_dir=is_dir, target_is_dir=kind, parent_is_dir=parent
    )
    assert path == result


@pytest.mark.parametrize(
    ("source", "is_dir", "target", "kind", "parent", "message"),
    [
        ("/a/s", True, "/d/f", False, True, "cannot copy directory"),
        ("/a/f", False, "/d/new/", None, True, "does not exist"),
        ("/a/f", False, "/x/new", None, None, "no such directory: /x"),
        ("/a/f", False, "/d/f/", False, True, "not a directory"),
    ],
)
def test_impossible_destinations_are_explained(
    source: str,
    is_dir: bool,
    target: str,
    kind: bool | None,
    parent: bool | None,
    message: str,
) -> None:
    with pytest.raises(SandboxError, match=message):
        copy_target(source, target, source_is_dir=is_dir, target_is_dir=kind, parent_is_dir=parent)
