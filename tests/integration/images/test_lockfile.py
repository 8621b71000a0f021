# SPDX-License-Identifier: MIT
"""Lockfiles: `run` and `build` use the image that a tag named when it was locked."""

from __future__ import annotations

import gzip
import json
import pathlib

import pytest

from tests.harness import images, registry
from tests.harness.command import Sandbox
from tests.harness.registry import Server

pytestmark = pytest.mark.usefixtures("online")


def put(server: Server, path: str, text: str) -> str:
    """Push an image with the text in its file `which` as tag 1; return the digest."""
    layer = images.tar([images.file("which", text)])
    config = json.dumps(images.config_for([layer])).encode()
    return registry.put_image(server, path, "1", [gzip.compress(layer, mtime=0)], config)


def which(sandbox: Sandbox, *arguments: str | pathlib.Path) -> str:
    """Create a container with these arguments and return the end of its file `which`."""
    container = sandbox.ok("create", *arguments).strip()
    return sandbox.ok("cp", f"{container}:/which", "-").partition("\0" * 100)[2].strip("\0")[-6:]


@pytest.fixture
def moved(plain: Server, sandbox: Sandbox, tmp_path: pathlib.Path) -> tuple[str, str, pathlib.Path]:
    """Return a name that was locked before its tag moved, the old digest, and the lockfile."""
    path = f"locked/{tmp_path.name.lower().replace('_', '-')}"
    name, file = f"{plain.host}/{path}:1", tmp_path / "sandbox.lock"
    digest = put(plain, path, "before")
    sandbox.ok("pull", "-q", "--lockfile", file, name)
    sandbox.ok("rmi", name)
    put(plain, path, "behind")
    return name, digest, file


def test_a_pull_writes_the_tags_digest_and_keeps_other_entries(
    moved: tuple[str, str, pathlib.Path], plain: Server, sandbox: Sandbox
) -> None:
    name, digest, file = moved
    other = f"{plain.host}/locked/other:1"
    theirs = put(plain, "locked/other", "other")
    sandbox.ok("pull", "-q", "--lockfile", file, other)
    assert json.loads(file.read_text()) == {"version": 1, "images": {name: digest, other: theirs}}
    new = sandbox.ok("pull", "-q", "--lockfile", file, name).strip()
    assert new != digest
    assert json.loads(file.read_text())["images"][name] == new


def test_a_locked_pull_gets_and_tags_the_locked_digest(
    moved: tuple[str, str, pathlib.Path], sandbox: Sandbox
) -> None:
    name, digest, file = moved
    assert sandbox.ok("pull", "-q", "--lockfile", file, "--locked", name).strip() == digest
    assert which(sandbox, name, "x") == "before"
    assert sandbox.ok("pull", "-q", "--offline", "--lockfile", file, "--locked", name)


def test_a_container_uses_the_locked_image(
    moved: tuple[str, str, pathlib.Path], sandbox: Sandbox
) -> None:
    name, digest, file = moved
    assert which(sandbox, name, "x") == "behind"
    assert which(sandbox, "--lockfile", file, name, "x") == "before"
    last = sandbox.ok("ps", "-a", "--no-trunc", "--format", "{{.Image}}", "-n", "1").strip()
    assert last == name.removesuffix(":1") + f"@{digest}"


def test_a_build_uses_the_locked_base(
    moved: tuple[str, str, pathlib.Path], sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    name, _, file = moved
    (tmp_path / "Dockerfile").write_text(f"FROM {name}\nLABEL a=b\n")
    arguments = ("build", "-q", "-t", "made", tmp_path)
    sandbox.ok(*arguments, "--lockfile", file, "--pull")
    assert which(sandbox, "made", "x") == "before"
    sandbox.ok(*arguments, "--pull")
    assert which(sandbox, "made", "x") == "behind"


def test_locked_refuses_images_that_are_not_in_the_lockfile(
    moved: tuple[str, str, pathlib.Path], sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    _, _, file = moved
    (tmp_path / "Dockerfile").write_text("FROM quite/other:1\n")
    locked = ("--lockfile", file, "--locked")
    for arguments in (
        ("pull", *locked, "quite/other:1"),
        ("run", *locked, "quite/other:1"),
        ("build", *locked, tmp_path),
    ):
        done = sandbox.call(*arguments)
        assert done.returncode == (125 if arguments[0] == "run" else 1)
        assert b"does not lock docker.io/quite/other:1" in done.stderr
    assert b"--locked needs --lockfile" in sandbox.call("pull", "--locked", "a:1").stderr


@pytest.mark.parametrize("verb", ["pull", "run", "build"])
def test_the_error_about_a_missing_digest_names_the_lockfile(
    moved: tuple[str, str, pathlib.Path],
    plain: Server,
    sandbox: Sandbox,
    tmp_path: pathlib.Path,
    verb: str,
) -> None:
    name, digest, file = moved
    gone = digest[:-6] + "000000"
    file.write_text(file.read_text().replace(digest, gone))
    (tmp_path / "Dockerfile").write_text(f"FROM {name}\n")
    last = {"pull": ("--locked", name), "run": (name, "x"), "build": (str(tmp_path),)}[verb]
    done = sandbox.call(verb, "--lockfile", file, *last)
    assert done.returncode == (125 if verb == "run" else 1)
    shown = done.stderr.decode()
    assert gone in shown
    assert f"{file} locks the image to that digest" in shown


def test_a_damaged_lockfile_is_refused_and_not_overwritten(
    moved: tuple[str, str, pathlib.Path], sandbox: Sandbox
) -> None:
    name, _, file = moved
    file.write_text("{")
    for arguments in (("pull",), ("pull", "--locked"), ("run",)):
        done = sandbox.call(arguments[0], "--lockfile", file, *arguments[1:], name)
        assert b"is not a lockfile" in done.stderr
        assert done.returncode in (1, 125)
    assert file.read_text() == "{"
    assert name not in sandbox.ok("images")
