# SPDX-License-Identifier: MIT
"""The base of records: small immutable classes with typed fields.

Why not dataclasses: they compile methods for each class at import, which takes 0.3 to 0.6 ms a
class. That was a quarter of the time of `run`. Classes of msgspec take microseconds, and have the
same constructor, equality, order, hash and repr. They do not validate fields: input is validated
where it is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct, field, to_builtins

if TYPE_CHECKING:
    # Lets mypy check the names and types of the changed fields.
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["Record", "field", "plain", "replace"]

Record = Struct


def plain(record: Struct) -> dict[str, Any]:
    """Return the fields, including nested records, as values for JSON.

    >>> class Box(Record, frozen=True):
    ...     size: int
    >>> plain(Box(3))
    {'size': 3}
    """
    data: dict[str, Any] = to_builtins(record)
    return data
