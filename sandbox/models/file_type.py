# SPDX-License-Identifier: MIT
"""The letters that the table of a layer has for the types of files: f d l c b p.

Rules: a socket has none; no layer holds one.
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
    """Return the letter of a file with this ``st_mode``, None if no layer can hold it."""
    return _LETTERS.get(stat.S_IFMT(mode))
