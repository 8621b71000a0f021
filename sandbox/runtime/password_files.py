# SPDX-License-Identifier: MIT
"""Stand-ins for the machine's password files, which its user may not read.

How it works: /etc/shadow and /etc/gshadow of the image `host` are secrets of the machine,
but useradd and its callers need them. So the container sees stand-ins in which every account
and group of /etc/passwd and /etc/group is locked: no password matches. The guest runtime
opens a stand-in when the kernel refuses the real file.

Rules: a readable file has no stand-in. A stand-in takes nothing from the real file but its
time.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable

_DAY = 24 * 60 * 60


def lock_accounts(passwd: bytes, changed: int) -> bytes:
    r"""Lock the accounts of *passwd*, as shadow(5) says it.

    >>> lock_accounts(b"root:x:0:0:root:/root:/bin/sh\n+::::::\n", 19000)
    b'root:*:19000:0:99999:7:::\n'
    """
    names = (fields[0] for fields in _rows(passwd, 7))
    return b"".join(b"%b:*:%d:0:99999:7:::\n" % (name, changed) for name in names)


def lock_groups(group: bytes, changed: int) -> bytes:
    r"""Give the groups of *group* no password, as gshadow(5) says it.

    >>> lock_groups(b"adm:x:4:syslog,me\n", 19000)
    b'adm:*::syslog,me\n'
    """
    del changed  # gshadow has no date
    return b"".join(b"%b:*::%b\n" % (fields[0], fields[3]) for fields in _rows(group, 4))


def write(folder: str) -> None:
    """Write the stand-ins of the files that this user may not read below *folder*."""
    for path, source, make in _FILES:
        if not os.access(path, os.F_OK) or os.access(path, os.R_OK):
            continue
        target = folder + path
        with map_os_errors(f"cannot write {target}"):
            changed = int(os.stat(path).st_mtime) // _DAY
            with open(source, "rb") as file:
                content = make(file.read(), changed)
            os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
            with open(target, "wb") as file:
                file.write(content)


_FILES: tuple[tuple[str, str, Callable[[bytes, int], bytes]], ...] = (
    ("/etc/shadow", "/etc/passwd", lock_accounts),
    ("/etc/gshadow", "/etc/group", lock_groups),
)


def _rows(text: bytes, count: int) -> list[list[bytes]]:
    """Return the fields of the lines that are entries; ``+`` and ``-`` lines mean NIS."""
    rows = [line.split(b":") for line in text.splitlines()]
    return [row for row in rows if len(row) == count and row[0] and row[0][:1] not in b"+-#"]
