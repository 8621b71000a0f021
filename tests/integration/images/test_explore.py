# SPDX-License-Identifier: MIT
"""`image explore` and progress bars of `pull` on a terminal."""

from __future__ import annotations

import gzip
import json
import pathlib
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

from tests.harness import images, registry

if TYPE_CHECKING:
    from tests.harness.command import Sandbox
    from tests.harness.registry import Server


def on_terminal(sandbox: Sandbox, *arguments: str) -> pexpect.spawn[bytes]:
    command, *rest = sandbox.argv(*arguments)
    environ = {**sandbox.environment(), "TERM": "linux"}
    return pexpect.spawn(command, rest, env=environ, dimensions=(24, 100), timeout=100)


def test_explore_moves_between_layers(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    archive = tmp_path / "archive.tar"
    layers = [[images.file("first", "1")], [images.file("second", "2"), images.whiteout("first")]]
    images.docker_archive(layers, tags=["a:1"], path=archive)
    sandbox.ok("load", "-i", archive)
    screen = pyte.Screen(100, 24)
    stream = pyte.ByteStream(screen)
    child = on_terminal(sandbox, "image", "explore", "a:1")

    def wait_for(text: str) -> None:
        while not any(text in line for line in screen.display):
            stream.feed(child.read_nonblocking(4096, timeout=100))

    wait_for("2 layers")
    wait_for("A        1B  /first")
    child.send("j")
    wait_for("A        1B  /second")
    wait_for("D        0B  /first")
    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.usefixtures("online")
def test_a_pull_shows_progress_bars(plain: Server, sandbox: Sandbox) -> None:
    layer = images.tar([images.file("noise", images.noise(3_000_000))])
    config = json.dumps(images.config_for([layer])).encode()
    registry.put_image(plain, "bars", "1", [gzip.compress(layer, 1)], config)
    child = on_terminal(sandbox, "pull", f"{plain.host}/bars:1")
    child.expect("Pulling from bars")
    child.expect("Pull complete")
    child.expect("Status: Downloaded newer image")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
