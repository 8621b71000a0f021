# SPDX-License-Identifier: MIT
"""`commit` makes images from containers."""

from __future__ import annotations

import json
import pathlib
import shutil
import tarfile

import pytest

from tests.harness import images
from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


@pytest.fixture
def small(engine: Sandbox, tmp_path: pathlib.Path) -> str:
    """Return the name of an image with a static shell (busybox) and some files."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs busybox, statically linked")
    tar = tmp_path / "base.tar"
    members = [
        images.directory("bin"),
        images.file("bin/sh", pathlib.Path(busybox).read_bytes(), mode=0o755),
        images.symlink("bin/rm", "sh"),
        images.directory("d"),
        images.file("d/old", b"old\n", uid=5, gid=6),
        images.directory("e"),
        images.file("e/gone", b"x"),
    ]
    tar.write_bytes(images.tar(members))
    engine.ok("import", "--change", "ENV A=1", "--change", "CMD /bin/sh", tar, "base:1")
    return "base:1"


def test_changes_of_a_container_become_a_layer(
    engine: Sandbox, small: str, tmp_path: pathlib.Path
) -> None:
    script = "echo news > /d/added; echo more >> /d/old"
    engine.ok("run", "--name", "c1", "-e", "B=2", small, "/bin/sh", "-c", script)
    engine.ok("cp", "-a", "-", "c1:/", stdin=images.tar([images.file("n", b"1", uid=7, gid=8)]))
    identity = engine.ok(
        "commit", "-a", "me", "-m", "words", "-c", "ENV C=3", "-c", "CMD /x", "c1", "new:1"
    ).strip()
    shown = json.loads(engine.ok("inspect", "new:1"))[0]
    assert shown["Id"] == identity
    assert shown["Config"]["Cmd"] == ["/bin/sh", "-c", "/x"]
    assert {"A=1", "B=2", "C=3"} <= set(shown["Config"]["Env"])
    assert not [entry for entry in shown["Config"]["Env"] if entry.startswith("HOSTNAME")]
    assert len(shown["RootFS"]["Layers"]) == 2
    engine.ok("create", "--name", "c2", "new:1", "/bin/sh")
    tar = tmp_path / "out.tar"
    engine.ok("export", "-o", tar, "c2")
    with tarfile.open(tar) as archive:
        files = {member.name.strip("./"): member for member in archive}
        assert (files["n"].uid, files["n"].gid) == (7, 8)
        assert (files["d/old"].uid, files["d/old"].gid) == (5, 6)
        content = archive.extractfile(files["d/old"])
        assert content is not None
        assert content.read() == b"old\nmore\n"
        assert "d/added" in files
    history = engine.ok("history", "--format", "{{.Comment}}", "new:1").splitlines()
    assert history[0] == "words"


def test_removed_files_stay_removed_in_the_image(engine: Sandbox, small: str) -> None:
    engine.ok("run", "--name", "c1", small, "/bin/sh", "-c", "rm -r /e")
    engine.ok("commit", "c1", "new:1")
    engine.ok("create", "--name", "c2", "new:1", "/bin/sh")
    assert engine.call("cp", "c2:/e/gone", "-").returncode == 1


def test_the_image_has_the_health_check_of_the_container(engine: Sandbox, small: str) -> None:
    def check(image: str) -> object:
        return json.loads(engine.ok("image", "inspect", image))[0]["Config"].get("Healthcheck")

    flags = ("--health-cmd", "true", "--health-interval", "7s")
    engine.ok("create", "--name", "own", *flags, small)
    engine.ok("commit", "own", "own:1")
    asked = check("own:1")
    assert isinstance(asked, dict)
    assert asked["Test"] == ["CMD-SHELL", "true"]
    assert asked["Interval"] == 7 * 10**9
    engine.ok("create", "--name", "same", "own:1")
    engine.ok("commit", "same", "same:1")
    assert check("same:1") == asked
    engine.ok("create", "--name", "none", "--no-healthcheck", "own:1")
    engine.ok("commit", "none", "none:1")
    assert check("none:1") == {"Test": ["NONE"]}
    engine.ok("create", "--name", "plain", small)
    engine.ok("commit", "plain", "plain:1")
    assert check("plain:1") is None


def test_the_machine_s_own_tree_is_no_image(engine: Sandbox) -> None:
    engine.ok("create", "--name", "c1", "host", "true")
    done = engine.call("commit", "c1", "new:1")
    assert done.returncode == 1
    assert b"cannot be committed" in done.stderr
