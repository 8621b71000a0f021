# SPDX-License-Identifier: MIT
"""Changes of a merged tree.

Invariant: every operation has the result that it has on a plain file system and on the kernel's
overlayfs. The tree is the same after the container was restarted.
"""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import NativeError
from sandbox.native import core
from tests.harness import overlay
from tests.harness.filesystem import Filesystem, Inode
from tests.harness.stacks import Container, Member, make_container

NAMES = ["a", "b", "c"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
guest_paths = paths.map(lambda path: b"/" + path.encode())
modes = st.sampled_from([0o755, 0o644, 0o600, 0o4711, 0o2770, 0o1777, 0o400, 0])
targets = st.sampled_from([b"a", b"../b", b"/c", b"/a/b", b"..", b"none"])


def parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


@st.composite
def layers(draw) -> list[Member]:
    """Return a layer whose members are consistent, as the unpacker ensures."""
    kinds = draw(st.dictionaries(paths, st.sampled_from("dddffflh"), max_size=7))
    members: list[Member] = []
    files: list[Member] = []
    for path in sorted(kinds):
        if any(kinds.get(parent, "d") != "d" for parent in parents(path)):
            continue
        for parent in parents(path):
            if parent not in kinds:
                kinds[parent] = "d"
                members.append(Member(parent, "d", draw(modes)))
        kind = kinds[path]
        if kind == "h" and not files:
            kind = kinds[path] = "f"
        if kind == "h":
            source = draw(st.sampled_from(files))
            members.append(replace(source, path=path, link_to=source.path))
            continue
        text = draw(targets).decode() if kind == "l" else path * 3 if kind == "f" else ""
        members.append(Member(path, kind, 0o777 if kind == "l" else draw(modes), text))
        if kind == "f":
            files.append(members[-1])
    present = {member.path: member.kind for member in members}
    present |= {parent: "d" for member in members for parent in parents(member.path)}
    for path in draw(st.lists(paths, max_size=2, unique=True)):
        if any(present.get(parent) != "d" for parent in parents(path)):
            continue
        if path not in present:
            members.append(Member(path, "w"))
        elif present[path] == "d":
            members.append(Member(path, "o"))
    return members


plain_operations = st.one_of(
    st.tuples(st.just("mkdir"), guest_paths, modes),
    st.tuples(st.just("create"), guest_paths, modes, st.sampled_from([b"", b"new"])),
    st.tuples(st.just("symlink"), guest_paths, targets),
    st.tuples(st.just("mknod"), guest_paths, st.just(stat.S_IFIFO | 0o640), st.just(0)),
    st.tuples(st.just("link"), guest_paths, guest_paths),
    st.tuples(st.just("unlink"), guest_paths),
    st.tuples(st.just("rmdir"), guest_paths),
    st.tuples(st.just("rename"), guest_paths, guest_paths, st.sampled_from([0, 0, 0, 1, 2])),
    st.tuples(st.just("chmod"), guest_paths, modes),
    st.tuples(st.just("utimens"), guest_paths, st.sampled_from([10**18 + 1, 5])),
    st.tuples(st.just("truncate"), guest_paths, st.sampled_from([0, 2, 9])),
    st.tuples(st.just("setxattr"), guest_paths, st.just(b"user.x"), st.binary(max_size=3)),
    st.tuples(st.just("removexattr"), guest_paths, st.just(b"user.x")),
)
root_operations = st.one_of(
    plain_operations,
    st.tuples(st.just("chown"), guest_paths, st.sampled_from([0, 7]), st.sampled_from([0, 8])),
    st.tuples(
        st.just("mknod"), guest_paths, st.just(stat.S_IFCHR | 0o666), st.just(os.makedev(1, 3))
    ),
    st.just(("restart",)),
)


class MergedTree:
    """The tree under test, with methods named like the model's."""

    def __init__(self, container: Container) -> None:
        self.container = container
        self.tree = core.Tree.open(container.control)
        self.numbers: dict[Inode, int] = {}

    def do(self, name: str, *arguments: object) -> int:
        try:
            getattr(self, name, getattr(self.tree, name, None))(*arguments)
        except NativeError as exc:
            return exc.errno
        return 0

    def create(self, path: bytes, mode: int, content: bytes) -> None:
        fd = self.tree.create(path, mode)
        os.write(fd, content)
        os.close(fd)

    def symlink(self, path: bytes, target: bytes) -> None:
        self.tree.symlink(target, path)

    def utimens(self, path: bytes, mtime: int) -> None:
        self.tree.utimens(path, mtime, mtime)

    def restart(self) -> None:
        """Drop the shared memory, so that everything is read from the disk again."""
        self.tree.close()
        os.unlink(self.container.control)
        core.create_control(self.container.control, self.container.spec())
        self.tree = core.Tree.open(self.container.control)

    def check(self, model: Filesystem) -> None:
        expected = model.snapshot()
        for path, inode in expected.items():
            self.check_entry(path, inode)
        seen: dict[int, Inode] = {}
        for path, inode in expected.items():
            number = self.tree.stat(path, follow=False).ino
            assert inode.nlink is None or seen.setdefault(number, inode) is inode, path

    def check_entry(self, path: bytes, inode: Inode) -> None:
        found = self.tree.stat(path, follow=False)
        assert oct(found.mode) == oct(inode.mode), path
        assert (found.uid, found.gid) == (inode.uid, inode.gid), path
        assert inode.mtime in (None, found.mtime_ns), path
        if inode.kind == stat.S_IFDIR:
            assert sorted(self.tree.list(path)) == sorted(inode.children), path
        else:
            assert inode.nlink in (None, found.nlink), path
        if inode.kind == stat.S_IFLNK:
            assert found.link == inode.target, path
        if inode.kind == stat.S_IFREG:
            assert found.size == len(inode.content), path
            fd = self.tree.open_file(path)
            assert os.read(fd, 100) == inode.content, path
            os.close(fd)
        if inode.kind == stat.S_IFCHR:
            assert found.rdev == inode.rdev, path
        assert self.tree.xattrs(path) == inode.xattrs, path
        if inode.nlink is not None:
            number = self.numbers.setdefault(inode, found.ino)
            assert found.ino == number, path


@given(st.lists(layers(), min_size=1, max_size=3), st.lists(root_operations, max_size=12))
def test_a_changed_tree_behaves_like_a_plain_file_system(stack, operations) -> None:
    with tempfile.TemporaryDirectory() as folder:
        merged = MergedTree(make_container(pathlib.Path(folder), stack))
        model = Filesystem(stack)
        merged.check(model)
        for operation in operations:
            expected = 0 if operation[0] == "restart" else model.do(*operation)
            assert merged.do(*operation) == expected, operation
            merged.check(model)
        merged.restart()
        merged.check(model)
        merged.tree.close()


@pytest.fixture(scope="module")
def overlayfs(tmp_path_factory: pytest.TempPathFactory) -> None:
    if not overlay.is_possible(tmp_path_factory.mktemp("overlay")):
        pytest.skip("no overlayfs for unprivileged users here")


def expected_of(model: Filesystem) -> dict[str, list[object]]:
    return {
        path.hex(): [
            oct(inode.mode),
            inode.content.hex(),
            inode.target.hex(),
            {name.decode(): value.hex() for name, value in inode.xattrs.items()},
            inode.mtime,
            None if inode.is_dir else inode.nlink,
            sorted(name.hex() for name in inode.children),
        ]
        for path, inode in model.snapshot().items()
    }


def ignore_unspecified(seen: dict[str, list[object]], expected: dict[str, list[object]]) -> None:
    for path, entry in expected.items():
        for column in (4, 5):
            if entry[column] is None and path in seen:
                seen[path][column] = None


@pytest.mark.usefixtures("overlayfs")
@given(st.lists(layers(), min_size=1, max_size=3), st.lists(plain_operations, max_size=12))
def test_the_kernels_overlayfs_behaves_like_the_plain_file_system(stack, operations) -> None:
    with tempfile.TemporaryDirectory() as folder:
        answers = overlay.run(pathlib.Path(folder), stack, operations)
    model = Filesystem(stack, as_overlayfs=True)
    for operation, (answer, seen) in zip(operations, answers, strict=True):
        assert answer == model.do(*operation), operation
        expected = expected_of(model)
        ignore_unspecified(seen, expected)
        assert seen == expected, operation
