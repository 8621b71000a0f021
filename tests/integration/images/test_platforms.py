# SPDX-License-Identifier: MIT
"""Images for several platforms: the one that is pulled, and the one that runs."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import TYPE_CHECKING

import pytest

from sandbox.engine import Engine
from sandbox.errors import CorruptData, ImageNotFound
from sandbox.store.layout import Layout
from tests.harness import images, registry

if TYPE_CHECKING:
    from tests.harness.command import Sandbox
    from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online")


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "store"))


def test_a_pull_takes_the_image_of_the_platform_from_an_index(
    plain: Server, engine: Engine
) -> None:
    ids = registry.put_platforms(plain, "platforms")
    name = f"{plain.host}/platforms:all"
    [pulled] = engine.images.pull(name, platform="linux/arm64")
    assert (pulled.image_id, pulled.digest) == (ids["arm64"], ids["index"])
    [pulled] = engine.images.pull(name, platform="linux/amd64")
    assert pulled.image_id == ids["amd64"]
    with pytest.raises(CorruptData, match="no image for linux/s390x"):
        engine.images.pull(name, platform="linux/s390x")


def test_a_single_image_for_another_platform_is_refused(plain: Server, engine: Engine) -> None:
    layer = images.tar([images.file("a")])
    config = json.dumps(images.config_for([layer])).encode()
    registry.put_image(plain, "single", "1", [gzip.compress(layer, mtime=0)], config)
    name = f"{plain.host}/single:1"
    with pytest.raises(ImageNotFound, match=r"linux/amd64.*linux/arm64"):
        engine.images.pull(name, platform="linux/arm64")
    assert engine.images.list() == []
    engine.images.pull(name, platform="linux/amd64")
    with pytest.raises(ImageNotFound, match="does not match"):
        engine.images.pull(name, platform="linux/arm64", offline=True)


# ---- platforms that can run -------------------------------------------------------------------


def test_an_image_of_another_platform_is_pulled_again_for_the_requested_one(
    plain: Server, sandbox: Sandbox
) -> None:
    ids = registry.put_platforms(plain, "to/choose")
    name = f"{plain.host}/to/choose:all"
    sandbox.ok("pull", "-q", "--platform", "linux/arm64", name)
    refused = sandbox.call("create", "--pull", "never", "--platform", "linux/amd64", name, "/x")
    wanted = b"platform (linux/arm64) does not match the specified platform (linux/amd64)"
    assert (refused.returncode, wanted in refused.stderr) == (125, True)
    made = sandbox.call("create", "--platform", "linux/amd64", name, "/x")
    assert (made.returncode, wanted in made.stderr) == (0, True)
    container = json.loads(sandbox.ok("inspect", made.stdout.decode().strip()))
    assert container[0]["Image"] == ids["amd64"]


def test_run_pulls_nothing_for_a_platform_that_cannot_run(plain: Server, sandbox: Sandbox) -> None:
    registry.put_platforms(plain, "to/refuse")
    name = f"{plain.host}/to/refuse:all"
    for policy in ("missing", "always"):
        refused = sandbox.call("run", "--pull", policy, "--platform", "linux/arm64", name, "/x")
        assert (refused.returncode, b"machine runs linux/amd64 only" in refused.stderr) == (
            125,
            True,
        )
    assert sandbox.ok("images", "-aq") == ""
