# SPDX-License-Identifier: MIT
"""The engine: parts are imported on first use, and alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sandbox.engine import Engine


def test_a_part_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(AttributeError, match="'Engine' object has no attribute 'fly'"):
        _ = Engine().fly  # type: ignore[attr-defined]


def test_a_part_is_made_once() -> None:
    engine = Engine()
    assert engine.containers is engine.containers
    assert engine.system is engine.system


@pytest.mark.parametrize(
    ("verb", "unneeded"),
    [
        ("run", {"images", "builds", "networks", "volumes", "system", "registries"}),
        ("list()", {"images", "builds", "networks", "volumes", "system", "registries"}),
        ("exec", {"images", "builds", "networks", "volumes", "system", "registries"}),
    ],
)
def test_a_verb_of_containers_imports_no_other_part(verb: str, unneeded: set[str]) -> None:
    code = (
        "import sys\nfrom sandbox.engine import Engine\n"
        f"Engine().containers.{verb}\nprint(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "sandbox.engine.containers" in loaded
    assert not loaded & {f"sandbox.engine.{name}" for name in unneeded}
    files = {name for name in loaded if name.startswith("sandbox.engine.containers.")}
    assert files == {"sandbox.engine.containers.state"}
