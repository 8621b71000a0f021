# SPDX-License-Identifier: MIT
"""The merged tree of any stack of layers, before and after changes by a container.

Invariant: look-ups, listings and stat give the same results as a simple merge of the layers.
"""

from __future__ import annotations

import os
import pathlib
import stat
import tempfile
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import NativeError
from sandbox.native import core
from tests.harness.stacks import TYPES, Member, make_container, merge

NAMES = ["a", "b", "c"]
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
targets = st.sampled_from(["a", "../b", "/c", "/a/b", "./c/a", "none", "/", "..", "b/"])


@st.composite
def layers(draw):
    """Return a layer whose members are consistent, as the unpacker ensures."""
    kinds = draw(st.dictionaries(paths, st.sampled_from("ddfffl"), max_size=6))
    members = []
    for path in sorted(kinds):
        if any(kinds.get(parent, "d") != "d" for parent in parents(path)):
            continue
        kind = kinds[path]
        text = draw(targets) if kind == "l" else "x" * len(path) if kind == "f" else ""
        members.append(Member(path, kind, draw(st.integers(0, 0o7777)), text))
    present = {member.path: member.kind for member in members}
    present |= {parent: "d" for member in members for parent in parents(member.path)}
    for path in draw(st.lists(paths, max_size=3)):
        if any(present.get(parent, "d") != "d" for parent in parents(path)):
            continue
        if path not in present:
            members.append(Member(path, "w"))
        elif present[path] == "d":
            members.append(Member(path, "o"))
    return members


def parents(path):
    parts = path.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts))]


operations = st.tuples(
    st.sampled_from(["mkdir", "create", "unlink", "rmdir", "symlink", "chmod"]), paths, targets
)


def walk(tree, path):
    """Resolve a path as path_resolution(7) says; return the resolved path or None."""
    todo = [part for part in path.split("/")[::-1] if part not in ("", ".")]
    must_be_dir = path.endswith(("/", "/.", "/.."))
    at: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part == "..":
            at = at[:-1]
            continue
        found = tree.get("/".join([*at, part]))
        if found is None:
            return None
        if found.kind == "l":
            links += 1
            if links > 40:
                return None
            if found.text.startswith("/"):
                at = []
            must_be_dir = must_be_dir or (not todo and found.text.endswith(("/", "..")))
            todo += [item for item in found.text.split("/")[::-1] if item not in ("", ".")]
            continue
        if found.kind != "d" and (todo or must_be_dir):
            return None
        at.append(part)
    return "/".join(at)


def apply(tree: core.Tree, model: dict[str, Member], operation) -> None:
    """Apply an operation to the tree and the model; both must do it or both must refuse it."""
    kind, path, target = operation
    guest = b"/" + path.encode()
    parent, _, _ = path.rpartition("/")
    found = model.get(path)
    plain = parent == "" or all(model.get(p, Member(p)).kind == "d" for p in parents(path))
    if not plain:
        return  # leads through symlinks or files: check() compares such look-ups
    empty = not any(name.startswith(path + "/") for name in model)
    possible = {
        "mkdir": found is None,
        "create": found is None,
        "symlink": found is None,
        "unlink": found is not None and found.kind != "d",
        "rmdir": found is not None and found.kind == "d" and empty,
        "chmod": found is not None and found.kind != "l",
    }[kind]
    try:
        change(tree, kind, guest, target)
    except NativeError:
        assert not possible, operation
        return
    assert possible, operation
    if kind in ("unlink", "rmdir"):
        del model[path]
    elif kind == "chmod":
        model[path] = replace(found, mode=0o4751)
    else:
        letter = {"mkdir": "d", "create": "f", "symlink": "l"}[kind]
        mode = 0o777 if letter == "l" else 0o750
        if letter == "d" and parent:
            mode |= model[parent].mode & 0o2000  # setgid is inherited
        model[path] = Member(path, letter, mode, target if letter == "l" else "")


def change(tree: core.Tree, kind: str, path: bytes, target: str) -> None:
    if kind == "mkdir":
        tree.mkdir(path, 0o750)
    elif kind == "create":
        os.close(tree.create(path, 0o750))
    elif kind == "symlink":
        tree.symlink(target.encode(), path)
    elif kind == "chmod":
        tree.chmod(path, 0o4751)
    elif kind == "unlink":
        tree.unlink(path)
    else:
        tree.rmdir(path)


def check(tree: core.Tree, model: dict[str, Member]) -> None:
    every = [""] + [f"{a}" for a in NAMES] + [f"{a}/{b}" for a in NAMES for b in NAMES]
    every += [f"{ab}/{c}" for ab in every[4:] for c in NAMES]
    every += [f"{path}/" for path in every[1:]] + ["a/../b", "b/./c", "a/b/../../c/a"]
    for path in every:
        expected = walk(model, path)
        guest = b"/" + path.encode()
        assert tree.exists(guest) == (expected is not None), path
        if expected is not None:
            assert tree.stat(guest).path == b"/" + expected.encode()
    for path, member in model.items():
        found = tree.stat(b"/" + path.encode(), follow=False)
        assert stat.S_IFMT(found.mode) == TYPES[member.kind], path
        if member.kind != "l":
            assert stat.S_IMODE(found.mode) == member.mode, path
        else:
            assert found.link == member.text.encode()
        if member.kind == "f":
            assert found.size == len(member.text)
    for path in ["", *[path for path, member in model.items() if member.kind == "d"]]:
        names = [p.rpartition("/")[2].encode() for p in model if p.rpartition("/")[0] == path]
        listed = tree.list(b"/" + path.encode())
        assert sorted(listed) == sorted(names), path


@given(
    st.lists(layers(), min_size=1, max_size=4),
    st.lists(operations, max_size=12),
)
def test_the_tree_is_the_merge_of_its_layers(stack, changes):
    with tempfile.TemporaryDirectory() as folder:
        container = make_container(pathlib.Path(folder), stack)
        model = merge(stack)
        with core.Tree.open(container.control) as tree:
            check(tree, model)
            for operation in changes:
                apply(tree, model, operation)
            check(tree, model)
        core.create_control(container.control, container.spec())
        with core.Tree.open(container.control) as tree:
            check(tree, model)
