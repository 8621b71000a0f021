# SPDX-License-Identifier: MIT
"""Platforms as images name them, and the platform of this machine."""

from __future__ import annotations

import platform
import re

from sandbox.errors import UsageError
from sandbox.models.record import Record

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386"}


class Platform(Record, frozen=True):
    """A platform: os/architecture[/variant]."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        """Return the text that --platform accepts."""
        variant = f"/{self.variant}" if self.variant else ""
        return f"{self.os}/{self.architecture}{variant}"


def own_platform() -> Platform:
    """Return the platform of this machine."""
    name = platform.machine()
    return Platform("linux", _ARCHITECTURES.get(name, name))


def parse_platform(text: str) -> Platform:
    """Return the platform that *text* names. Raises UsageError.

    >>> str(parse_platform("linux/arm64/v8")), str(parse_platform("arm64"))
    ('linux/arm64/v8', 'linux/arm64')
    """
    parts = text.split("/")
    if not all(re.fullmatch(r"[A-Za-z0-9_.-]+", part) for part in parts):
        raise UsageError(f"{text!r} is an invalid platform: os/architecture[/variant]")
    if len(parts) == 1:
        parts = [parts[0], ""] if parts[0] == "linux" else ["linux", parts[0]]
    if len(parts) > 3:
        raise UsageError(f"{text!r} is an invalid platform: os/architecture[/variant]")
    own = own_platform()
    return Platform(
        parts[0],
        _ARCHITECTURES.get(parts[1], parts[1]) or own.architecture,
        parts[2] if len(parts) > 2 else "",
    )
