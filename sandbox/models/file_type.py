# SPDX-License-Identifier: MIT
"""The letters for file types in the table of a layer: f, d, l, c, b, p.

Rules: sockets have no letter, since layers do not contain them.
"""

from __future__ import annotations

import stat

_LETTERS = {
    stat.S_IFREG: "f",
    stat.S_IFDIR: "d",
    stat.S_IFLNK: "l",
    stat.S_IFCHR: "c",
    stat.S_IFBLK: "b",
    stat.S_IFIFO: "p",
}


def kind_of(mode: int) -> str | None:
    """Return the letter for an ``st_mode``; None for a socket."""
    return _LETTERS.get(stat.S_IFMT(mode))
