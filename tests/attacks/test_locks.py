# SPDX-License-Identifier: MIT
"""No guest of an image holds a lock for which the host side waits.

A guest of the image host can: docs/threat-model.md says so.
"""

from __future__ import annotations

import fcntl
import os
import pathlib
import time

import pytest

from sandbox.runtime.network import port_proxy
from tests.harness.attacks import Arena, successes
from tests.harness.containers import record

pytestmark = pytest.mark.guest

PROGRAMS = ("locks",)


def locks(arena: Arena) -> list[str]:
    """Return the lock files of the store, and of a container in a network with a port."""
    engine = arena.sandbox
    engine.ok("network", "create", "net")
    ports = ("-p", "127.0.0.1::80", "-p", "127.0.0.2::80")  # the second has a relay
    engine.ok("run", "-d", "--name", "box", "--network", "net", *ports, "attack", "/idle")
    arena.running["locks"] = "box"
    found = [path for path in engine.store.rglob("*lock") if "diff" not in path.parts]
    run_dir = pathlib.Path(record(engine, "box")["runDir"])
    found.append(run_dir / "relay")
    found += [path for path in run_dir.parent.glob("net-*/lock") if os.access(path, os.R_OK)]
    return sorted({str(path) for path in found})


def test_without_the_fence_every_lock_can_be_held(unfenced: Arena) -> None:
    found = unfenced.attack("locks", *locks(unfenced))
    assert len(found) > 3
    assert len(successes(found)) > len(found) / 2  # some are held by their owners
    assert set(found.values()) <= {"done", "EAGAIN"}


def test_no_lock_of_the_host_side_can_be_held(fenced: Arena) -> None:
    found = fenced.attack("locks", *locks(fenced))
    assert len(found) > 3
    assert set(found.values()) == {"EACCES"}


def test_the_end_of_a_port_proxy_is_not_waited_for_for_ever(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A guest of the image host can hold this lock."""
    clock = iter(range(1000))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))
    port_proxy.wait_for_end(str(tmp_path))
    with (tmp_path / port_proxy._LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        port_proxy.wait_for_end(str(tmp_path))
