# SPDX-License-Identifier: MIT
"""A process that changes the store is killed before each of its file operations.

Invariant: the store keeps everything it had, the operation is either done or not done, and
fsck finds only leftovers, which its repair removes.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.engine import Engine
from sandbox.engine.containers.config import CreateRequest
from sandbox.store.layout import Layout
from tests.harness import images
from tests.harness.store import Store

# The store is synced to the disk hundreds of times, which may be slow.
pytestmark = pytest.mark.timeout(800)
LAYERS = [[images.file("a", "1"), images.directory("d")], [images.file("d/b", "2")]]
EVENTS = ("open", "os.", "fcntl.")


def killed_at(operation: Callable[[], object], number: int) -> bool:
    """Run *operation* in a child that dies before its file operation *number*.

    Returns whether the child died; False means that the operation was completed.
    """
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, _arguments: object) -> None:
            nonlocal seen
            if event.startswith(EVENTS) and not event.startswith("os.kill"):
                seen += 1
                if seen > number:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            operation()
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("name", ["load", "import", "remove", "tag", "repair", "prune"])
def test_a_kill_at_any_moment_leaves_the_store_whole(name: str, tmp_path: Path) -> None:
    store = Store(Layout(tmp_path / "store"))
    kept = store.load(LAYERS[:1], tags=["kept"])
    archive = store.archive(images.docker_archive(LAYERS, tags=["new"]))
    tree = store.archive(images.tar(LAYERS[0]))

    engine = Engine(store.layout)
    if name == "prune":
        engine.containers.create(CreateRequest(image="kept", args=("/a",)))

    def prepare() -> None:
        if name in ("remove", "repair", "prune"):
            store.images.load(archive)
        if name == "repair":
            (store.layout.layers / ("0" * 64)).mkdir(exist_ok=True)

    operations: dict[str, Callable[[], object]] = {
        "load": lambda: store.images.load(archive),
        "import": lambda: store.images.import_(tree, reference="new"),
        "remove": lambda: store.images.remove("new"),
        "tag": lambda: store.images.tag("kept", "new"),
        "repair": lambda: store.system.fsck(repair=True),
        "prune": lambda: engine.images.prune(everything=True),
    }
    number = 0
    died = True
    while died:
        prepare()
        died = killed_at(operations[name], number)
        findings = store.system.fsck()
        assert [str(finding) for finding in findings if finding.is_problem] == []
        assert store.images.get("kept") == kept or name == "tag"
        assert store.images.get("kept").layers == kept.layers
        number += 1
    assert number > 5
    assert name != "prune" or [image.id for image in store.images.list()] == [kept.id]
    for path in store.layout.tmp.iterdir():
        os.utime(path, (1, 1))  # fsck leaves young files, which may still be in use
    store.system.fsck(repair=True)
    assert store.system.fsck() == []
    assert os.listdir(store.layout.tmp) == []
