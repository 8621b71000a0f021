# SPDX-License-Identifier: MIT
"""Guest programs in an image behave as on the host, with one layer and with two.

Calls trap in the first container of an image. The second container maps copies of the programs
with the call sites that the first one rewrote. Each container runs all groups of a program.
"""

from __future__ import annotations

import errno
import fcntl
import pathlib
import re
import shlex
import struct
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import pytest

from tests.harness import builds, images, layered
from tests.harness.cbuild import BUILDS
from tests.harness.oracle import Oracle, difference, native, without

pytestmark = pytest.mark.guest

FS_IOC_GETFLAGS = 0x80086601

Differs = Mapping[str, str]


@dataclass(frozen=True)
class Case:
    """Groups of a program and its arguments: @ is the group's folder, % is the group's name."""

    program: str
    groups: str
    words: str = "%"
    build: str = "static"


# The host prepares the files of these groups; in the container they lie in layers.
PREPARED = (
    Case(
        "layers",
        "emptied moved exchanged kinds descriptors nameless other-directory other-cwd lost-cwd"
        " reopened tmpfiles programs names deep statxes times flags",
        "% observe",
    ),
    Case(
        "files",
        "unlinked tmpfiles contents times identity modes xattrs many_xattrs locks fifos"
        " long-paths devices",
        "% observe",
    ),
    Case("races", "winners shared first moving", "% observe"),
    Case("directory_listings", "kinds", "% observe"),  # the others: test_directory_listings.py
    Case("paths", "look open xattr", "% observe @"),
)

# These groups make the files that they need.
BARE = (
    Case(
        "execs",
        "arguments many-arguments auxiliary addresses refusals searches scripts chains at identity",
    ),
    Case(
        "processes",
        "tree statuses waiting orphans vforks shared-cwd umasks fork-with-threads"
        " exec-from-thread thread-exits many-children fds seven sessions daemons names bad-clones",
    ),
    Case(
        "signals",
        "actions masks waits pending flags faults stacks overflow contexts threads deaths"
        " children exec registers",
    ),
    Case("interrupts", "cancellation storm storm-spawn"),
    Case("interrupts", "cancellation storm", build="musl-static"),
    Case("concurrency", "sites threads forks limits mdwe"),
    Case("proc", "links descriptors paths", "% @"),
)
DIFFERS: Mapping[tuple[str, str], Differs] = {
    ("files", "unlinked"): {
        r"^descriptor is": "/proc/self/fd loses the name of a layer's removed file"
    },
    ("files", "contents"): {r"SEEK_(HOLE|DATA)|blocks": "the tests' archive has no holes"},
    ("execs", "auxiliary"): {r"^called": "the program lies elsewhere"},
}


@dataclass(frozen=True)
class Scene:
    """A program and a folder for each of its groups, here and in a container."""

    oracle: Oracle
    case: Case
    program: pathlib.Path

    def words(self, group: str, top: pathlib.Path) -> list[str]:
        given = {"%": group, "@": str(top / group)}
        return [given.get(word, word) for word in self.case.words.split()]

    def prepare(self, top: pathlib.Path) -> None:
        for group in self.case.groups.split():
            (top / group).mkdir(mode=0o755)
            words = [word.replace("observe", "prepare") for word in self.words(group, top)]
            if "prepare" in words:
                subprocess.run([self.program, *words], check=True, timeout=100, cwd=top / group)
        layered.purge(top)

    def natively(self, group: str) -> list[str]:
        top = self.oracle.native_folder
        done = native([self.program, *self.words(group, top)], top / group)
        return done.lines({str(top): "@"})

    def script(self) -> str:
        """Return the container's shell script: run the program with each group in its folder."""
        lines = []
        for group in self.case.groups.split():
            top = self.oracle.inside_folder
            command = shlex.join([f"/bin/{self.case.program}", *self.words(group, top)])
            lines.append(f"cd {top / group}; echo '=== {group}'; {command}")
            lines.append('echo "[exit status $?]"')
        return "\n".join(lines)

    def load(self, tag: str, prepared: list[list[images.Member]]) -> None:
        name = f"bin/{self.case.program}"
        program = images.file(name, self.program.read_bytes(), mode=0o755)
        layers = [[*builds.base_members(), program], *prepared]
        self.oracle.sandbox.ok("load", stdin=images.docker_archive(layers, tags=[tag]))

    def inside(self, tag: str) -> dict[str, list[str]]:
        """Return the lines that each group prints in a new container."""
        command = ["/bin/sh", "-c", self.script()]
        done = replace(self.oracle, image=tag).inside(command, timeout=110)
        text = done.output.replace(str(self.oracle.inside_folder), "@")
        parts = re.split(r"^=== (.*)\n", text, flags=re.MULTILINE)
        assert done.status == 0, done
        return {
            name: lines.splitlines() for name, lines in zip(parts[1::2], parts[2::2], strict=True)
        }

    def problems(self, tag: str) -> list[str]:
        """Return how the first and the second container of an image differ from the host."""
        expected = {group: self.natively(group) for group in self.case.groups.split()}
        found = []
        for container in ("first", "second"):
            inside = self.inside(tag)
            for group, lines in expected.items():
                differs = DIFFERS.get((self.case.program, group), {})
                pair = without(lines, differs), without(inside[group], differs)
                if pair[0] != pair[1]:
                    found.append(f"{group}, {container}: {difference(*pair)}")
        return found


def scene(oracle: Oracle, case: Case, guest_program: Callable[..., pathlib.Path]) -> Scene:
    made = Scene(oracle, case, guest_program(case.program, *BUILDS[case.build]))
    for top in oracle.native_folder, oracle.inside_folder:
        made.prepare(top)
    return made


@pytest.mark.parametrize("layers", [layered.whole, layered.split])
@pytest.mark.parametrize("case", PREPARED, ids=lambda case: case.program)
def test_programs_find_and_change_files_of_layers_as_on_the_host(
    oracle: Oracle,
    guest_program: Callable[..., pathlib.Path],
    case: Case,
    layers: Callable[[pathlib.Path], list[list[images.Member]]],
) -> None:
    made = scene(oracle, case, guest_program)
    made.load("image:1", layers(oracle.inside_folder))
    assert not made.problems("image:1")


@pytest.mark.parametrize("case", BARE, ids=lambda case: f"{case.program}-{case.build}")
def test_programs_of_an_image_behave_as_on_the_host(
    oracle: Oracle, guest_program: Callable[..., pathlib.Path], case: Case
) -> None:
    made = scene(oracle, case, guest_program)
    made.load("image:1", layered.whole(oracle.inside_folder))
    assert not made.problems("image:1")


def flags_of(path: pathlib.Path) -> int:
    """Return the inode flags of a file as lsattr shows them; 0 if its file system has none."""
    with path.open("rb") as file:
        try:
            return struct.unpack("i", fcntl.ioctl(file, FS_IOC_GETFLAGS, bytes(4)))[0]
        except OSError:
            return 0


def test_chattr_changes_the_containers_copy_of_a_layers_file(
    oracle: Oracle, guest_program: Callable[..., pathlib.Path]
) -> None:
    made = scene(oracle, Case("layers", "flags", "% observe"), guest_program)
    made.load("image:1", layered.whole(oracle.inside_folder))
    [layer] = [
        path for path in oracle.sandbox.store.glob("layers/*/diff") if not (path / "bin").exists()
    ]
    file = layer / str(oracle.inside_folder / "flags" / "a" / "f0").lstrip("/")
    before = flags_of(file)
    assert "found: " in "".join(made.inside("image:1")["flags"])
    assert flags_of(file) == before


def test_ioctl_requests_on_files_of_layers_are_refused(
    oracle: Oracle, guest_program: Callable[..., pathlib.Path]
) -> None:
    made = scene(oracle, Case("layers", "requests", "% observe"), guest_program)
    made.load("image:1", layered.whole(oracle.inside_folder))
    told = made.inside("image:1")["requests"]
    refused = {line.partition(": ")[2] for line in told[:8]}
    assert refused == {str(errno.ENOTTY)}, told
