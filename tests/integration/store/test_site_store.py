# SPDX-License-Identifier: MIT
"""A read-only site store that all users share, and a user's own store beside it."""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from tests.harness import images
from tests.harness.command import Sandbox


@pytest.fixture
def site(sandbox: Sandbox, tmp_path: pathlib.Path) -> pathlib.Path:
    """Return a read-only site store with the image base:1; the command also has its own store."""
    busybox = shutil.which("busybox")
    assert busybox is not None
    members = [
        images.directory("bin"),
        images.directory("etc"),
        images.file("bin/busybox", pathlib.Path(busybox).read_bytes(), mode=0o755),
        images.symlink("bin/sh", "busybox"),
        images.file("site", "from the site\n"),
    ]
    archive = tmp_path / "archive.tar"
    images.docker_archive([members], {"Cmd": ["/bin/sh"]}, tags=["base:1"], path=archive)
    path = tmp_path / "site"
    Sandbox(path).ok("load", "-i", archive)
    for folder, _, _ in os.walk(path):
        os.chmod(folder, 0o555)
    sandbox.environ["SANDBOX_ROOT"] = f"{path}:{sandbox.store}"
    return path


def listing(path: pathlib.Path) -> list[str]:
    return sorted(str(item) for item in path.rglob("*"))


@pytest.mark.guest
def test_images_of_the_site_store_run(site: pathlib.Path, sandbox: Sandbox) -> None:
    before = listing(site)
    text = sandbox.ok(
        "run", "--rm", "base:1", "/bin/sh", "-c", "read a < /site; echo $a; echo > /x"
    )
    assert text == "from the site\n"
    sandbox.ok("create", "--name", "kept", "base:1", "/bin/sh", "-c", "echo >> /site")
    sandbox.ok("start", "-a", "kept")
    assert sandbox.ok("diff", "kept").splitlines() == ["C /site"]
    assert listing(site) == before
    assert not list((sandbox.store / "layers").iterdir())


def test_tags_and_prune_only_change_the_users_store(site: pathlib.Path, sandbox: Sandbox) -> None:
    before = listing(site)
    sandbox.ok("tag", "base:1", "mine:1")
    assert "mine" in sandbox.ok("images")
    assert sandbox.ok("rmi", "mine:1") == "Untagged: mine:1\n"
    refused = sandbox.call("rmi", "-f", "base:1")
    assert (refused.returncode, b"read-only store" in refused.stderr) == (1, True)
    sandbox.ok("image", "prune", "-a", "-f")
    sandbox.ok("system", "prune", "-a", "-f")
    assert "base" in sandbox.ok("images")
    assert "whole" in sandbox.ok("system", "fsck")
    assert listing(site) == before


def test_layers_of_the_site_store_are_not_stored_again(
    site: pathlib.Path, sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    sandbox.ok("load", "-i", tmp_path / "archive.tar")
    assert not list((sandbox.store / "layers").iterdir())
    sandbox.ok("save", "-o", tmp_path / "saved.tar", "base:1")
    Sandbox(tmp_path / "third").ok("load", "-i", tmp_path / "saved.tar")
    assert "Images" in sandbox.ok("system", "df")
    assert sandbox.ok("image", "explore", "base:1").startswith("1 layer,")
