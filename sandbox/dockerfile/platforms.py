# SPDX-License-Identifier: MIT
"""Platform names: ``linux/arm64/v8``, ``arm64``, ``linux``. Source: containerd/platforms. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.dockerfile.go_text import quoted
from sandbox.dockerfile.words import ArgumentError

_SYSTEM = "^([A-Za-z0-9_-]+)(?:\\(([A-Za-z0-9_.-]*)\\))?$"
_PART = "^[A-Za-z0-9_.-]+$"
_SYSTEMS = frozenset(
    {
        "aix",
        "android",
        "darwin",
        "dragonfly",
        "freebsd",
        "hurd",
        "illumos",
        "ios",
        "js",
        "linux",
        "nacl",
        "netbsd",
        "openbsd",
        "plan9",
        "solaris",
        "windows",
        "zos",
    }
)
_MACHINES = frozenset(
    {
        "386",
        "amd64",
        "amd64p32",
        "arm",
        "armbe",
        "arm64",
        "arm64be",
        "loong64",
        "mips",
        "mipsle",
        "mips64",
        "mips64le",
        "mips64p32",
        "mips64p32le",
        "ppc",
        "ppc64",
        "ppc64le",
        "riscv",
        "riscv64",
        "s390",
        "s390x",
        "sparc",
        "sparc64",
        "wasm",
    }
)
_ALIASES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_MOST = 3


@dataclass(frozen=True)
class PlatformName:
    """A normalised platform."""

    system: str
    machine: str
    variant: str = ""

    def __str__(self) -> str:
        """Return the name, for example linux/arm/v7."""
        return "/".join(part for part in (self.system, self.machine, self.variant) if part)


def parse_platform(text: str, *, default: PlatformName) -> PlatformName:
    """Return the platform that *text* names; missing parts come from *default*.

    Raises ArgumentError for an unknown or malformed name.

    >>> str(parse_platform("aarch64", default=PlatformName("linux", "amd64")))
    'linux/arm64'
    """
    parts = text.lower().split("/")
    if len(parts) > _MOST:
        raise ArgumentError(f"{quoted(text)}: cannot parse platform specifier: invalid argument")
    for part, form in zip(parts, (_SYSTEM, _PART, _PART), strict=False):
        if "\n" in part or re.match(form, part) is None:
            what, kind = ("OS ", "OSAndVersion") if form is _SYSTEM else ("", "platform")
            raise ArgumentError(
                f"{quoted(part)} is an invalid {what}component of {quoted(text)}: {kind} specifier"
                f" component must match {quoted(form)}: invalid argument"
            )
    if len(parts) > 1:
        return _normalised(parts[0], *parts[1:])
    word = "darwin" if parts[0] == "macos" else parts[0]
    if word in _SYSTEMS:
        return PlatformName(word, default.machine, default.variant)
    machine, variant = _ALIASES.get(word, (word, ""))
    if machine in _MACHINES:
        return _normalised(default.system, machine, variant)
    raise ArgumentError(
        f"{quoted(text)}: unknown operating system or architecture: invalid argument"
    )


def _normalised(system: str, machine: str, variant: str = "") -> PlatformName:
    system = "darwin" if system == "macos" else system
    machine, implied = _ALIASES.get(machine, (machine, ""))
    variant = variant or implied
    if (machine == "arm64" and variant in ("8", "v8")) or (machine == "amd64" and variant == "v1"):
        variant = ""
    elif machine == "arm":
        variant = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}.get(variant, variant)
    return PlatformName(system, machine, variant)
