# SPDX-License-Identifier: MIT
"""One member of a tar archive."""

from __future__ import annotations

from dataclasses import dataclass, field

Segments = list[tuple[int, int]]
"""The stored parts of a sparse file: offset and length of each."""


@dataclass(slots=True)
class TarEntry:
    """One member. ``kind`` is one of f, d, l (symlink), h (hard link), c, b, p. Names are raw."""

    name: bytes
    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int  # of the file in bytes; ``stored`` is less for a sparse file
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    stored: int = 0  # bytes of data in the archive
    data_offset: int = 0  # of the data in the archive
    segments: Segments | None = None  # of a sparse file: the stored (offset, length) pairs
