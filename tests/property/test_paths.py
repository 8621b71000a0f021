# SPDX-License-Identifier: MIT
"""Names in archives, compared with path resolution in a chroot.

Invariant: a member's parent is the directory that the kernel would find with the unpacked tree
as its root. A path that leads above the root is refused.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import CorruptData
from sandbox.layers.layer_entries import Entries
from sandbox.native.layer_table import Record

DIRECTORIES = [b"a", b"a/b", b"a/b/c", b"d"]
PARTS = st.sampled_from([b"a", b"b", b"c", b"d", b"l0", b"l1", b"l2", b"..", b"."])
TARGETS = st.tuples(st.booleans(), st.lists(PARTS, min_size=1, max_size=4)).map(
    lambda pair: (b"/" if pair[0] else b"") + b"/".join(pair[1])
)
LINKS = st.lists(st.tuples(st.sampled_from([b"", *DIRECTORIES]), TARGETS), min_size=3, max_size=3)


def resolve_in_chroot(top: Path, parts: list[bytes]) -> bytes | None:
    """Resolve *parts* in the file system with *top* as the root; return None if refused."""
    here: list[bytes] = []
    todo = parts[::-1]
    links = 0
    while todo:
        part = todo.pop()
        if part == b"..":
            if not here:
                return None
            here.pop()
            continue
        path = os.path.join(os.fsencode(top), *here, part)
        if os.path.islink(path):
            links += 1
            if links > 40:
                return None
            target = os.readlink(path)
            if target.startswith(b"/"):
                here = []
            todo += [item for item in target.split(b"/") if item not in (b"", b".")][::-1]
            continue
        here.append(part)
    return b"/".join(here) or b"."


@given(
    LINKS, st.lists(PARTS.filter(lambda part: part not in (b"..", b".")), min_size=1, max_size=5)
)
def test_a_members_parent_is_resolved_as_in_a_chroot(
    links: list[tuple[bytes, bytes]], parts: list[bytes]
) -> None:
    with tempfile.TemporaryDirectory() as name, closing(Entries(Path(name))) as entries:
        top = Path(name)
        for path in DIRECTORIES:
            os.mkdir(os.path.join(os.fsencode(top), path))
            entries.put(path, Record("d", 0o755, 0, 0, 0))
        for number, (parent, target) in enumerate(links):
            path = os.path.join(parent, b"l%d" % number)
            os.symlink(target, os.path.join(os.fsencode(top), path))
            entries.put(path, Record("l", 0o777, 0, 0, 0, link=target))
        expected = resolve_in_chroot(top, parts)
        try:
            parent, last = entries.place(b"/".join([*parts, b"last"]))
        except CorruptData:
            assert expected is None
        else:
            assert (parent, last) == (expected, b"last")
