# SPDX-License-Identifier: MIT
"""Run a program on this machine and in a container, and compare the outputs.

The host is the oracle: the output of the native run is right. A test names the lines that may
differ, each with its reason; all other lines must be equal.

Does not know: what the programs do.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import pathlib
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.harness.command import Sandbox

SHOWN_LINES = 60
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LC_ALL": "C"}


@dataclass(frozen=True)
class Seen:
    """A program's output, and how it ended (128 + N after signal N)."""

    status: int
    output: str
    errors: str

    def lines(self, names: Mapping[str, str]) -> list[str]:
        """Return the output's lines with the names of folders replaced."""
        text = self.output
        for old, new in names.items():
            text = text.replace(old, new)
        return [*text.splitlines(), f"[exit status {self.status}]"]


def seen(done: subprocess.CompletedProcess[bytes]) -> Seen:
    """Decode the result of a program; a signal counts as in a shell."""
    status = 128 - done.returncode if done.returncode < 0 else done.returncode
    decode = "utf-8", "backslashreplace"
    return Seen(status, done.stdout.decode(*decode), done.stderr.decode(*decode))


def native(
    command: Sequence[str | os.PathLike[str]],
    folder: pathlib.Path,
    *,
    env: Mapping[str, str] = ENVIRONMENT,
    timeout: float = 200,
) -> Seen:
    """Run a program here, in *folder*."""
    with subprocess.Popen(
        list(map(os.fspath, command)),
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return seen(subprocess.CompletedProcess(command, process.returncode, output, errors))


def renamed(what: Seen, old: str, new: pathlib.Path) -> Seen:
    """Return the result with the name of a folder replaced."""
    return replace(what, output=what.output.replace(old, str(new)))


def difference(expected: Sequence[str], actual: Sequence[str]) -> str:
    """Return the first lines that differ, as a unified diff."""
    lines = list(
        difflib.unified_diff(expected, actual, "native", "in the sandbox", lineterm="", n=1)
    )
    if len(lines) > SHOWN_LINES:
        lines[SHOWN_LINES:] = [f"... and {len(lines) - SHOWN_LINES} lines more"]
    return "\n".join(lines)


def without(lines: Sequence[str], differs: Mapping[str, str]) -> list[str]:
    """Drop the lines that match one of the patterns, the keys of *differs*."""
    patterns = [re.compile(pattern) for pattern in differs]
    return [line for line in lines if not any(p.search(line) for p in patterns)]


def tree_hash(folder: pathlib.Path) -> str:
    """Return one hash of all names, modes, times, owners and contents below *folder*."""
    digest = hashlib.sha256()
    for where, names, files in os.walk(folder):
        names.sort()
        for name in sorted([*names, *files, "."]):
            path = os.path.join(where, name)
            info = os.lstat(path)
            row = [path, info.st_mode, info.st_uid, info.st_nlink, info.st_size, info.st_mtime_ns]
            digest.update(repr(row).encode("utf-8", "surrogateescape"))
            if os.path.isfile(path) and not os.path.islink(path):
                handle = os.open(path, os.O_RDONLY | os.O_NOATIME)
                with open(handle, "rb") as stream:
                    digest.update(stream.read())
    return digest.hexdigest()


@dataclass(frozen=True)
class Oracle:
    """Compares programs. *native_folder* and *inside_folder* have names of the same length."""

    sandbox: Sandbox
    native_folder: pathlib.Path
    inside_folder: pathlib.Path
    flags: Sequence[str] = field(default_factory=tuple)
    image: str = "host"

    def below(self, name: str) -> Oracle:
        """Return an oracle with a new folder NAME in each of the two folders."""
        folders = self.native_folder / name, self.inside_folder / name
        for folder in folders:
            folder.mkdir()
        return replace(self, native_folder=folders[0], inside_folder=folders[1])

    def inside(
        self,
        command: Sequence[str | os.PathLike[str]],
        *flags: str,
        env: Mapping[str, str] = ENVIRONMENT,
        timeout: float = 200,
    ) -> Seen:
        """Run a program in a throwaway container."""
        words = ["run", "--rm", "-w", str(self.inside_folder), *self.flags, *flags]
        for name, value in env.items():
            words += ["-e", f"{name}={value}"]
        done = self.sandbox.call(*words, self.image, *map(os.fspath, command), timeout=timeout)
        return seen(done)

    def compare(
        self,
        expected: Seen,
        actual: Seen,
        differs: Mapping[str, str] | None = None,
    ) -> None:
        """Fail with the difference unless both printed the same."""
        right = without(expected.lines({str(self.native_folder): "@"}), differs or {})
        found = without(actual.lines({str(self.inside_folder): "@"}), differs or {})
        broken = [line for line in right if line.startswith("BROKEN")]
        assert not broken, f"the program fails natively: {broken} {expected.errors}"
        assert right == found, f"{difference(right, found)}\nstderr: {actual.errors[-2000:]}"

    def same(
        self,
        command: Sequence[str | os.PathLike[str]],
        *flags: str,
        differs: Mapping[str, str] | None = None,
        env: Mapping[str, str] = ENVIRONMENT,
        timeout: float = 200,
    ) -> None:
        """Run here and in a container with the same arguments, and compare.

        ``@`` in a word stands for the folder: the native one here, the other one in the container.
        """
        words = [os.fspath(word) for word in command]
        here = [word.replace("@", str(self.native_folder)) for word in words]
        there = [word.replace("@", str(self.inside_folder)) for word in words]
        expected = native(here, self.native_folder, env=env, timeout=timeout)
        actual = self.inside(there, *flags, env=env, timeout=timeout)
        self.compare(expected, actual, differs)

    def same_in(
        self,
        place: str,
        program: pathlib.Path,
        group: str,
        differs: Mapping[str, str] | None = None,
    ) -> None:
        """Compare one group of a program in a folder at *place*: upper, lower or bind.

        In the lower place the host prepares files; the container observes and must not change them.
        """
        expected = native([program, group, "both"], self.native_folder)
        folder = str(self.inside_folder)
        if place == "lower":
            subprocess.run([program, group, "prepare"], check=True, timeout=100, cwd=folder)
            before = tree_hash(self.inside_folder)
            actual = self.inside([program, group, "observe"])
            assert tree_hash(self.inside_folder) == before, "the host's files changed"
        else:
            flags = ["-v", f"{folder}:{folder}"] if place == "bind" else []
            actual = self.inside([program, group, "both"], *flags)
        self.compare(expected, actual, differs)
