# SPDX-License-Identifier: MIT
"""Builds: a base image with a static shell, a build context, and checks of the result."""

from __future__ import annotations

import io
import json
import pathlib
import shutil
import subprocess
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness import images

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

APPLETS = [
    "sh",
    "cat",
    "ls",
    "echo",
    "mkdir",
    "rm",
    "cp",
    "mv",
    "ln",
    "chmod",
    "chown",
    "touch",
    "id",
    "env",
    "pwd",
    "test",
    "true",
    "false",
    "sleep",
    "stat",
    "find",
    "grep",
    "printf",
    "sort",
    "head",
    "tr",
    "wc",
    "sed",
    "readlink",
    "mkfifo",
    "od",
    "nc",
    "wget",
    "sync",
    "seq",
    "kill",
    "date",
]
PASSWD = b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1001:user:/home/user:/bin/sh\n"
GROUP = b"root:x:0:\nstaff:x:50:\nuser:x:1001:\n"


def base_members() -> list[images.Member]:
    """Return a small root file system: busybox, accounts, /data/old, /tmp."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("needs busybox, statically linked")
    return [
        images.directory("bin"),
        images.file("bin/busybox", pathlib.Path(busybox).read_bytes(), mode=0o755),
        *(images.symlink(f"bin/{applet}", "busybox") for applet in APPLETS),
        images.directory("etc"),
        images.file("etc/passwd", PASSWD),
        images.file("etc/group", GROUP),
        images.directory("data"),
        images.file("data/old", b"old\n", uid=5, gid=6),
        images.directory("tmp", mode=0o1777),
    ]


def base_image(engine: Sandbox, folder: pathlib.Path, name: str = "base") -> str:
    """Import a small image with busybox and accounts; return its name."""
    tar = folder / "base.tar"
    tar.write_bytes(images.tar(base_members()))
    engine.ok("import", "--change", "ENV PATH=/bin", tar, name)
    return name


@dataclass
class Builder:
    """Builds Dockerfiles in one context directory."""

    engine: Sandbox
    context: pathlib.Path
    tag: str = "made"
    flags: list[str] = field(default_factory=list)

    def write(self, **files: str | bytes) -> None:
        """Write files into the context; "__" in a name stands for "/", "_dot_" for "."."""
        for name, content in files.items():
            self.put(name.replace("__", "/").replace("_dot_", "."), content)

    def put(self, name: str, content: str | bytes = "", mode: int = 0o644) -> pathlib.Path:
        """Write one file into the context."""
        path = self.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def call(
        self, dockerfile: str, *flags: str, timeout: float = 200
    ) -> subprocess.CompletedProcess[bytes]:
        """Build and return the result, whatever it is."""
        self.put("Dockerfile", dockerfile)
        command = ("build", "--progress", "plain", "-t", self.tag, *self.flags, *flags)
        return self.engine.call(*command, self.context, timeout=timeout)

    def ok(self, dockerfile: str, *flags: str, timeout: float = 200) -> str:
        """Build, which must succeed; return the progress output."""
        done = self.call(dockerfile, *flags, timeout=timeout)
        shown = done.stderr.decode(errors="replace")
        assert done.returncode == 0, shown
        return shown

    def fails(self, dockerfile: str, *flags: str) -> str:
        """Build, which must fail with exit code 1; return the progress output."""
        done = self.call(dockerfile, *flags)
        assert done.returncode == 1, (done.returncode, done.stderr)
        return done.stderr.decode(errors="replace")

    def inspect(self, name: str | None = None) -> dict[str, Any]:
        """Return `inspect` of an image."""
        found: dict[str, Any] = json.loads(self.engine.ok("image", "inspect", name or self.tag))[0]
        return found

    def files(self, name: str | None = None) -> dict[str, tarfile.TarInfo]:
        """Return the files of an image by name, without a leading slash."""
        return {member.name.strip("./"): member for member in self._tar(name).getmembers()}

    def read(self, path: str, name: str | None = None) -> str:
        """Return the content of a file of an image."""
        archive = self._tar(name)
        for member in archive.getmembers():
            if member.name.strip("./") == path.strip("/"):
                content = archive.extractfile(member)
                assert content is not None
                return content.read().decode()
        raise AssertionError(f"{path} is not in the image")

    def _tar(self, name: str | None) -> tarfile.TarFile:
        self.engine.ok("create", "--name", "look", name or self.tag, "/nothing")
        try:
            done = self.engine.call("export", "look")
            assert done.returncode == 0, done.stderr
        finally:
            self.engine.ok("rm", "look")
        return tarfile.open(fileobj=io.BytesIO(done.stdout))


def cached(shown: str) -> list[str]:
    """Return the titles of the steps that plain progress marks as cached."""
    titles: dict[str, str] = {}
    found = []
    for line in shown.splitlines():
        number, _, text = line.partition(" ")
        if number.startswith("#") and number not in titles:
            titles[number] = text
        elif text == "CACHED" and number in titles:
            found.append(titles[number])
    return found
