# SPDX-License-Identifier: MIT
"""The variables that the flags of `run`, `create` and `exec` ask for."""

from __future__ import annotations

import os

from sandbox.errors import map_os_errors
from sandbox.runtime import spec


def environment(files: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the variables of --env-file and --env."""
    entries: list[str] = []
    for name in files:
        with (
            map_os_errors(f"cannot read {name}"),
            open(name, encoding="utf-8", errors="surrogateescape") as file,
        ):
            entries += spec.parse_env_file(file.read(), os.environ, name=name)
    entries += spec.resolve_env_flags(flags, os.environ)
    return tuple(entries)
