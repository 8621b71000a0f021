# SPDX-License-Identifier: MIT
"""The value of ``--chmod``: an octal mode, or a symbolic one as in chmod(1). Pure."""

from __future__ import annotations

import re

from sandbox.dockerfile.words import ArgumentError

_WHO = re.compile(r"([ugoa]*)((?:[-+=][rwxXstugo]*)+)")
_ACTION = re.compile(r"([-+=])([rwxXstugo]*)")
_NUMBER = re.compile(r"[-+]?[0-9]")


def new_mode(text: str, mode: int, is_dir: bool) -> int:
    """Return the mode that ``--chmod`` *text* gives to a file whose mode is *mode*.

    *text* is octal ("755") or symbolic ("u=rwX,go=r"). Raises ArgumentError for anything else.

    >>> oct(new_mode("755", 0o600, False)), oct(new_mode("u=rwX,go=r", 0o600, True))
    ('0o755', '0o744')
    >>> oct(new_mode("a=r+X-x", 0o777, False))
    '0o444'
    """
    if re.fullmatch(r"[0-7]{1,11}", text) and int(text, 8) <= 0o7777:
        return int(text, 8)
    if _NUMBER.match(text):
        raise ArgumentError(
            f"invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"
        )
    for clause in text.split(","):
        match = _WHO.fullmatch(clause)
        if match is None:
            raise ArgumentError(f"invalid chmod parameter: '{text}'")
        for action, what in _ACTION.findall(match[2]):
            mode = _clause(mode, match[1] or "a", action, what, is_dir)
    return mode


def parent_mode(text: str) -> int:
    """Return the mode of parent directories that COPY creates under ``--chmod`` *text*.

    BuildKit uses the permission bits of an octal mode, and 0755 for a symbolic one.

    >>> [oct(parent_mode(text)) for text in ("", "4700", "u=rwx,go=")]
    ['0o755', '0o700', '0o755']
    """
    return int(text, 8) & 0o777 if re.fullmatch("[0-7]+", text) else 0o755


def _clause(mode: int, who: str, action: str, what: str, is_dir: bool) -> int:
    shifts = {"u": 6, "g": 3, "o": 0}
    people = "ugo" if "a" in who else who
    bits = 0
    for letter in what:
        if letter in shifts:
            bits |= mode >> shifts[letter] & 7
        elif letter == "X":
            bits |= 1 if is_dir or mode & 0o111 else 0
        elif letter in "rwx":
            bits |= {"r": 4, "w": 2, "x": 1}[letter]
    special = (0o1000 if "t" in what else 0) | (
        (0o4000 if "u" in people else 0) | (0o2000 if "g" in people else 0) if "s" in what else 0
    )
    changed = special
    cleared = 0
    for person in people:
        changed |= bits << shifts[person]
        cleared |= 7 << shifts[person]
    if action == "+":
        return mode | changed
    return mode & ~changed if action == "-" else mode & ~cleared | changed
