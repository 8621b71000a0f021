# SPDX-License-Identifier: MIT
"""The digests of a layer's programs, taken while the layer is unpacked.

How it works: ``digests.json`` beside diff/ maps the paths of ELF files to digests of their content.
At that time the content has just been verified with the layer's own digest. Later this record tells
whether a file is still what the layer had.

Rules: paths are bytes read as Latin-1, as in the layer's table. Only files that look like programs
or libraries are recorded, since the others are never executed.

Must not know: what the digests are used for.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.store.layout import DIFF, META

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIGESTS = "digests.json"
_MAGIC = b"\x7fELF"
_LIBRARY = ".so"
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE = 1 << 20


def record_programs(layer: Path) -> None:
    """Write the record of a layer whose files and table are in place. Raises OSError."""
    found = {}
    top = os.open(layer / DIFF, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for path in _candidates(layer):
            digest = _digest_of(path, top)
            if digest is not None:
                found[path] = digest
    finally:
        os.close(top)
    temporary = layer / f".{DIGESTS}-{os.getpid()}"
    temporary.write_text(json.dumps(found))
    temporary.rename(layer / DIGESTS)


def read_digests(layer: Path) -> dict[str, str] | None:
    """Return the digests of the layer's programs by path; None if there is no record."""
    try:
        found = json.loads((layer / DIGESTS).read_bytes())
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def changed_programs(layer: Path) -> Iterator[str]:
    """Yield the recorded programs whose files have another content now, or are missing."""
    top = os.open(layer / DIFF, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for path, digest in (read_digests(layer) or {}).items():
            if _digest_of(path, top) != digest:
                yield path
    finally:
        os.close(top)


def _candidates(layer: Path) -> Iterator[str]:
    import msgspec

    class Row(msgspec.Struct):
        p: str
        t: str
        m: int = 0

    decoder = msgspec.json.Decoder(Row)
    with (layer / META).open("rb") as lines:
        for line in lines:
            row = decoder.decode(line)
            if row.t == "f" and (row.m & 0o111 or _LIBRARY in row.p):
                yield row.p


def _digest_of(path: str, top: int) -> str | None:
    """Return the digest of an ELF file below *top*, None if it is none."""
    import hashlib  # a supervisor does without it

    try:
        fd = os.open(path.encode("latin-1"), _OPEN, dir_fd=top)
    except OSError:
        return None
    try:
        with suppress(OSError):
            if not stat.S_ISREG(os.fstat(fd).st_mode) or os.pread(fd, 4, 0) != _MAGIC:
                return None
            digest = hashlib.sha256()
            while piece := os.read(fd, _PIECE):
                digest.update(piece)
            return digest.hexdigest()
    finally:
        os.close(fd)
    return None
