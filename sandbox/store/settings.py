# SPDX-License-Identifier: MIT
"""The settings of a whole store.

They are in the file settings.toml of the store::

    require-confinement = true   # containers start only behind the kernel's fence

Rules: an unknown key is an error that names the key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import UsageError, map_os_errors

if TYPE_CHECKING:
    from sandbox.store.layout import Layout


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """The whole file."""

    require_confinement: bool = False


def read(layout: Layout) -> Settings:
    """Return the settings of a store. Raises UsageError, StoreError."""
    path = layout.settings
    with map_os_errors(f"cannot read {path}"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return Settings()
    import tomllib  # takes milliseconds, and most stores have no settings

    try:
        return msgspec.convert(tomllib.loads(data.decode()), Settings)
    except (ValueError, msgspec.ValidationError) as exc:
        raise UsageError(f"{path}: {exc}") from None
