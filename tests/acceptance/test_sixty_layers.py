# SPDX-License-Identifier: MIT
"""An image with sixty layers gives the same results as overlayfs for 5,000 operations.

The oracle is the model in tests.harness.filesystem. A second test compares the model with the
kernel's overlayfs, on the same layers and operations, where a user may mount it.
"""

from __future__ import annotations

import pathlib
import random
import stat
import tempfile

import pytest

from tests.harness import overlay
from tests.harness.filesystem import Filesystem
from tests.harness.stacks import Member, make_container
from tests.property.test_overlay import MergedTree, expected_of, ignore_unspecified, parents

LAYERS = 60
OPERATIONS = 5000
CHECK_EVERY = 250
NAMES = "abcde"
MODES = (0o755, 0o644, 0o600, 0o4711, 0o2770, 0o1777, 0o700)

pytestmark = pytest.mark.slow


def random_path(rng: random.Random) -> str:
    return "/".join(rng.choice(NAMES) for _ in range(rng.randint(1, 4)))


def random_layer(rng: random.Random, number: int) -> list[Member]:
    """Return additions, replacements, whiteouts, opaque directories and changes of type."""
    members: list[Member] = []
    kinds: dict[str, str] = {}
    for _ in range(rng.randint(1, 8)):
        path = random_path(rng)
        if path in kinds or any(kinds.get(parent, "d") != "d" for parent in parents(path)):
            continue
        for parent in parents(path):
            if parent not in kinds:
                kinds[parent] = "d"
                members.append(Member(parent, "d", rng.choice(MODES)))
        kind = kinds[path] = rng.choice("ddfffl")
        text = {"d": "", "f": f"{number} {path}", "l": rng.choice(("a", "../b", "/c", "none"))}
        mode = 0o777 if kind == "l" else rng.choice(MODES)
        members.append(Member(path, kind, mode, text[kind]))
    for path in sorted({random_path(rng) for _ in range(2)}):
        if any(kinds.get(parent) != "d" for parent in parents(path)):
            continue
        if path not in kinds:
            members.append(Member(path, "w"))
        elif kinds[path] == "d":
            members.append(Member(path, "o"))
    return members


def random_operation(rng: random.Random) -> tuple:
    path, other = (("/" + random_path(rng)).encode() for _ in range(2))
    return rng.choice(
        [
            ("mkdir", path, rng.choice(MODES)),
            ("create", path, rng.choice(MODES), rng.choice((b"", b"new"))),
            ("symlink", path, rng.choice((b"a", b"../b", b"none"))),
            ("mknod", path, stat.S_IFIFO | 0o640, 0),
            ("link", path, other),
            ("unlink", path),
            ("rmdir", path),
            ("rename", path, other, rng.choice((0, 0, 0, 1, 2))),
            ("chmod", path, rng.choice(MODES)),
            ("utimens", path, rng.choice((10**18 + 1, 5))),
            ("truncate", path, rng.choice((0, 2, 9))),
            ("setxattr", path, b"user.x", rng.choice((b"", b"1"))),
            ("removexattr", path, b"user.x"),
        ]
    )


def make(seed: int) -> tuple[list[list[Member]], list[tuple]]:
    rng = random.Random(seed)
    stack = [random_layer(rng, number) for number in range(LAYERS)]
    return stack, [random_operation(rng) for _ in range(OPERATIONS)]


def appearance(model: Filesystem) -> dict[bytes, tuple]:
    """Return the properties of each entry whose change a diff must show."""
    return {
        path: (inode.mode, inode.uid, inode.gid, inode.content, inode.target, dict(inode.xattrs))
        for path, inode in model.snapshot().items()
    }


def check_diff(changes: list[tuple[str, bytes]], before: dict, after: dict) -> None:
    told = {kind: {path for k, path in changes if k == kind} for kind in "ACD"}
    folders = {b""} | {path for path, entry in after.items() if stat.S_ISDIR(entry[0])}
    gone = set(before) - set(after)
    assert told["A"] == set(after) - set(before)
    # A diff does not list what was below a directory that is gone or replaced.
    assert told["D"] == {path for path in gone if path.rpartition(b"/")[0] in folders}
    both = set(before) & set(after)
    assert told["C"] <= both
    assert {path for path in both if before[path] != after[path]} - {b"/"} <= told["C"]


def test_sixty_layers_and_five_thousand_operations(tmp_path: pathlib.Path) -> None:
    stack, operations = make(60)
    sut = MergedTree(make_container(tmp_path, stack))
    model = Filesystem(stack)
    sut.check(model)
    before = appearance(model)
    for number, operation in enumerate(operations, 1):
        assert sut.do(*operation) == model.do(*operation), (number, operation)
        if number % CHECK_EVERY == 0:
            sut.check(model)
            check_diff(sut.tree.changes(), before, appearance(model))
            sut.restart()
            sut.check(model)
    sut.tree.close()


def test_kernel_overlayfs_agrees_with_the_model() -> None:
    stack, operations = make(60)
    with tempfile.TemporaryDirectory() as folder:
        try:
            answers = overlay.run(pathlib.Path(folder), stack, operations, CHECK_EVERY)
        except PermissionError:
            pytest.skip("needs overlayfs mounts for unprivileged users")
    model = Filesystem(stack, as_overlayfs=True)
    done = 0
    for operation, (answer, seen) in zip(operations, answers, strict=True):
        assert answer == model.do(*operation), operation
        done += answer == 0
        if seen is not None:
            expected = expected_of(model)
            ignore_unspecified(seen, expected)
            assert seen == expected, operation
    assert done > OPERATIONS // 10
