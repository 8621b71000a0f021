# SPDX-License-Identifier: MIT
"""What a container changed, read from its upper directory.

Rules: the container may run and change the upper meanwhile. A file that goes away is left out.

Does not know: how the lower is looked into.
"""

from __future__ import annotations

import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from sandbox.native.host_tree import HostTree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ChangeKind = Literal["A", "C", "D"]
Changes = list[tuple[ChangeKind, bytes]]


class UpperChanges:
    """The changes to the lower, as Docker's A, C and D, and the names of the runtime's marks.

    *whiteout* is the target of a whiteout, *opaque* the name in an opaque directory.
    """

    def __init__(
        self,
        *,
        whiteout: bytes,
        opaque: bytes,
        in_lower: Callable[[bytes], bool],
        lower_names: Callable[[bytes], Iterable[bytes]],
    ) -> None:
        """Read nothing yet. The functions take paths that begin with a slash."""
        self._whiteout = whiteout
        self._opaque = opaque
        self._in_lower = in_lower
        self._lower_names = lower_names
        self.changes: Changes = []
        self.marks: list[bytes] = []

    def read(self, upper: bytes) -> None:
        """Read the directory *upper*. Raises OSError."""
        pending = [(b"", False)]
        with HostTree(upper, own=True) as tree:
            while pending:
                directory, hidden = pending.pop()
                with suppress(FileNotFoundError, NotADirectoryError):  # changed meanwhile
                    pending += self._read(tree, directory, hidden=hidden)

    def _read(self, tree: HostTree, directory: bytes, *, hidden: bool) -> list[tuple[bytes, bool]]:
        """Add the changes in one directory; return the directories in it.

        *hidden* means that the directory hides the lower one.
        """
        names = tree.names(directory[1:])
        hidden = hidden or self._opaque in names
        if hidden:
            gone = set(self._lower_names(directory or b"/")) - set(names)
            self.changes += [("D", directory + b"/" + name) for name in gone]
        deeper = []
        for name in names:
            with suppress(FileNotFoundError):
                path = directory + b"/" + name
                if self._add(tree, path, is_opaque=name == self._opaque):
                    deeper.append((path, hidden))
        return deeper

    def _add(self, tree: HostTree, path: bytes, *, is_opaque: bool) -> bool:
        """Add what is at one path; return whether it is a directory."""
        mode = tree.stat(path[1:]).st_mode
        is_link = stat.S_ISLNK(mode)
        if is_opaque:
            self.marks.append(path)
            return False
        in_lower = self._in_lower(path)
        if is_link and tree.readlink(path[1:]) == self._whiteout:
            self.marks.append(path)
            if in_lower:
                self.changes.append(("D", path))
            return False
        self.changes.append(("C" if in_lower else "A", path))
        return stat.S_ISDIR(mode)
