# SPDX-License-Identifier: MIT
"""Records: small classes with typed fields, which are replaced, not changed.

Why not dataclasses: those compile each class's methods when it is imported, 0.3 to 0.6
ms a class, which was a quarter of what `run` took. msgspec's are made in microseconds
and have the same constructor, equality, order, hash and text. No field is checked here:
what is read from outside is checked where it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins

if TYPE_CHECKING:
    # Knows the fields: mypy checks the changes, as it does not with msgspec's.
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["Record", "field", "plain", "replace"]

Record = Struct


def plain(record: Struct) -> dict[str, Any]:
    """Return the fields, and records in them, as what JSON can say.

    >>> class Box(Record, frozen=True):
    ...     size: int
    >>> plain(Box(3))
    {'size': 3}
    """
    data: dict[str, Any] = to_builtins(record)
    return data
