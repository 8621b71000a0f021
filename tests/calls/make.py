# SPDX-License-Identifier: MIT
"""Makes programs of system calls for tests/guest/programs/calls.c from a number.

Rules: pure. A seed makes the same program for ever, as long as this file stays as it is; programs
that are kept are kept as text.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence

# What every program finds: kind, path, mode, owner, group, text.
BASE = (
    ("d", "a", 0o755, 0, 0, ""),
    ("f", "a/f", 0o644, 0, 0, "hhhhh"),
    ("f", "a/g", 0o600, 1000, 1000, "ggg"),
    ("d", "b", 0o755, 1000, 1000, ""),
    ("f", "b/f", 0o640, 1000, 1000, "bbbbbbbbbb"),
    ("f", "c", 0o644, 0, 0, "cc"),
    ("l", "d", 0o777, 0, 0, "a"),
    ("d", "e", 0o700, 0, 0, ""),
    ("f", "e/g", 0o600, 1001, 1001, "e"),
    ("f", "s", 0o755, 0, 0, "#!/calls\n"),
    ("d", "t", 0o1777, 0, 0, ""),
    ("f", "t/y", 0o666, 1001, 1001, "t"),
    ("d", "u", 0o2775, 0, 1000, ""),
    ("f", "k", 0o4755, 1000, 1000, "kkkk"),
    ("f", "r", 0o444, 0, 0, "rr"),
)
_WORDS = """
    a b c d e s t u k r x y z a/f a/g b/f d/f e/g t/y x/y x/z a/x b/x d/x t/x u/x u/y
    a/../c ./c a/ c/ x/ d/ a/f/q . d/.. x/.. x/y/z @
"""
PATHS = tuple(_WORDS.split())
USERS = (0, 1000, 1001)
MODES = (0o644, 0o600, 0o755, 0o700, 0o444, 0o555, 0o000, 0o777, 0o1777, 0o2775, 0o4755, 0o6711)
OPENS = (
    os.O_RDONLY,
    os.O_RDONLY,
    os.O_WRONLY,
    os.O_RDWR,
    os.O_RDWR | os.O_CREAT,
    os.O_WRONLY | os.O_CREAT | os.O_EXCL,
    os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    os.O_WRONLY | os.O_APPEND,
    os.O_RDONLY | os.O_DIRECTORY,
    os.O_RDONLY | os.O_NOFOLLOW,
    os.O_PATH,
    os.O_PATH | os.O_NOFOLLOW,
    os.O_RDONLY | os.O_TRUNC,
    os.O_RDONLY | os.O_CREAT | os.O_DIRECTORY,
)
ATTRIBUTES = ("user.a", "user.b", "security.x", "trusted.a", "user.")


class Maker:
    """Makes one program."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one(self, among: Sequence[object]) -> str:
        """Return one of them as a word."""
        return str(self.random.choice(among))

    def path(self) -> str:
        """Return a name."""
        return self.one(PATHS)

    def slot(self) -> str:
        """Return the number of a slot."""
        return str(self.random.randrange(5))

    def mode(self) -> str:
        """Return a mode."""
        return oct(self.random.choice(MODES)).replace("0o", "0")

    def user(self) -> str:
        """Return a user or none."""
        return self.one((*USERS, -1))

    def call(self) -> str:
        """Return one call with its arguments."""
        calls = tuple(CALLS)
        weights = [CALLS[call][0] for call in calls]
        (call,) = self.random.choices(calls, weights)
        return " ".join((call, *CALLS[call][1](self)))

    def program(self) -> list[str]:
        """Return a program of 5 to 200 calls by two processes."""
        count = min(200, 5 + int(self.random.expovariate(1 / 30)))
        lines = []
        for process, chance in ((0, 0.2), (1, 0.8)):
            if self.random.random() < chance:
                user = self.one(USERS[1:])
                lines += [f"{process} setgroups {self.one(USERS)} {self.one((2000, 1000))}"]
                lines += [f"{process} setres{kind} {user} {user} {user}" for kind in ("gid", "uid")]
        lines += [f"{self.random.randrange(2)} {self.call()}" for _ in range(count)]
        return lines


Arguments = Callable[[Maker], Sequence[str]]

# How often, and with what.
CALLS: dict[str, tuple[int, Arguments]] = {
    "open": (14, lambda m: (m.slot(), m.path(), m.one(OPENS), m.mode())),
    "close": (3, lambda m: (m.slot(),)),
    "read": (4, lambda m: (m.slot(), m.one((1, 5, 20)))),
    "write": (6, lambda m: (m.slot(), m.one((1, 5, 100)), m.one(range(26)))),
    "script": (1, lambda m: (m.slot(),)),
    "seek": (2, lambda m: (m.slot(), m.one((0, 3, 50)), m.one((0, 1, 2)))),
    "truncate": (2, lambda m: (m.path(), m.one((0, 3, 100)))),
    "ftruncate": (2, lambda m: (m.slot(), m.one((0, 3, 100)))),
    "fallocate": (1, lambda m: (m.slot(), "0", "0", m.one((1, 50)))),
    "rename": (8, lambda m: (m.path(), m.path(), m.one((0, 0, 0, 1, 2)))),
    "link": (4, lambda m: (m.path(), m.path(), m.one((0, 0x400)))),
    "symlink": (3, lambda m: (m.path(), m.path())),
    "unlink": (5, lambda m: (m.path(),)),
    "rmdir": (4, lambda m: (m.path(),)),
    "mkdir": (5, lambda m: (m.path(), m.mode())),
    "mknod": (2, lambda m: (m.path(), m.one((0o10644, 0o100644, 0o20600, 0o60600)), "259")),
    "chmod": (6, lambda m: (m.path(), m.mode())),
    "fchmod": (2, lambda m: (m.slot(), m.mode())),
    "chown": (5, lambda m: (m.path(), m.user(), m.user(), m.one((0, 0x100)))),
    "fchown": (2, lambda m: (m.slot(), m.user(), m.user())),
    "times": (2, lambda m: (m.path(), m.one((-1, 7, 1000)))),
    "ltimes": (1, lambda m: (m.path(), m.one((-1, 7, 1000)))),
    "stat": (5, lambda m: (m.path(),)),
    "lstat": (5, lambda m: (m.path(),)),
    "fstat": (3, lambda m: (m.slot(),)),
    "access": (4, lambda m: (m.path(), m.one(range(8)), m.one((0, 0x200)))),
    "readlink": (2, lambda m: (m.path(),)),
    "setxattr": (3, lambda m: (m.path(), m.one(ATTRIBUTES), m.one(("v", "w")), m.one((0, 1, 2)))),
    "getxattr": (2, lambda m: (m.path(), m.one(ATTRIBUTES))),
    "removexattr": (1, lambda m: (m.path(), m.one(ATTRIBUTES))),
    "chdir": (3, lambda m: (m.path(),)),
    "fchdir": (2, lambda m: (m.slot(),)),
    "getcwd": (2, lambda m: ()),
    "list": (4, lambda m: (m.slot(),)),
    "map": (2, lambda m: (m.slot(), m.one((1, 3)), m.one((1, 2)))),
    "dup": (2, lambda m: (m.slot(), m.slot())),
    "lock": (3, lambda m: (m.slot(), m.one((0, 1, 2)), m.one((0, 4)), m.one((0, 4)))),
    "getlock": (1, lambda m: (m.slot(), m.one((0, 1)), "0", "0")),
    "flock": (2, lambda m: (m.slot(), m.one((1, 2, 8)))),
    "exec": (3, lambda m: (m.path(),)),
    "fork": (1, lambda m: (m.path(),)),
    "kill": (1, lambda m: (m.one((0, 10)),)),
    "bind": (2, lambda m: (m.path(), m.slot())),
    "connect": (2, lambda m: (m.path(),)),
    "tmpfile": (1, lambda m: (m.slot(), m.path(), m.mode())),
    "name": (1, lambda m: (m.slot(), m.path())),
    "umask": (1, lambda m: (m.one((0o22, 0o77, 0)),)),
    "setgroups": (1, lambda m: (m.one(USERS), m.one(USERS))),
    "setresuid": (2, lambda m: (m.user(), m.user(), m.user())),
    "setresgid": (1, lambda m: (m.user(), m.user(), m.user())),
    "setfsuid": (1, lambda m: (m.user(),)),
}


def prelude() -> list[str]:
    """Return the calls that make what programs find, for a place that is empty at first."""
    lines = []
    for kind, path, mode, owner, group, text in BASE:
        if kind == "l":
            lines.append(f"0 symlink {text} {path}")
            continue
        if kind == "d":
            lines.append(f"0 mkdir {path} 0755")
        else:
            lines.append(f"0 open 0 {path} {os.O_WRONLY | os.O_CREAT} 0644")
            script = text.startswith("#!")
            letter = ord(text[0]) - ord("a")
            lines.append("0 script 0" if script else f"0 write 0 {len(text)} {letter}")
        lines.append(f"0 chown {path} {owner} {group} 0")
        lines.append(f"0 chmod {path} 0{mode:o}")
    return [*lines, "0 close 0"]
