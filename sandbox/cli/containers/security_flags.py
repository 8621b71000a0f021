# SPDX-License-Identifier: MIT
"""The flags of `run` and `create` about capabilities, seccomp, the fence, and namespaces.

Does not know: what enforces them.
"""

from __future__ import annotations

from typing import Any

from sandbox.cli.stdio import tell
from sandbox.errors import UsageError, map_os_errors
from sandbox.models.security import BUILTIN, UNCONFINED, Namespaces, Security, checked

SECURITY_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--cap-add",),
        {"multiple": True, "metavar": "CAP", "help": "Give the emulated root a capability."},
    ),
    (
        ("--cap-drop",),
        {"multiple": True, "metavar": "CAP", "help": "Take a capability from the emulated root."},
    ),
    (
        ("--privileged",),
        {"is_flag": True, "help": "Give the emulated root all capabilities, of this user's only."},
    ),
    (
        ("--security-opt",),
        {
            "multiple": True,
            "metavar": "OPTION",
            "help": "Set seccomp=FILE|unconfined or no-new-privileges.",
        },
    ),
    (
        ("--require-confinement",),
        {"is_flag": True, "help": "Refuse to start where the kernel keeps no fence (Landlock)."},
    ),
)

NAMESPACE_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (
        ("--ipc",),
        {
            "default": "",
            "metavar": "MODE",
            "help": "System V objects: private, shareable, container:NAME, none or host.",
        },
    ),
    (("--uts",), {"default": "", "metavar": "host", "help": "Use the machine's host name."}),
)


def security_of(options: dict[str, Any]) -> Security:
    """Return the security options, with the content of a profile for its name."""
    if not any(options[name] for name in _NAMES):
        return Security()
    from sandbox.engine.containers.security import completed

    texts = tuple(_with_profile(text) for text in options["security_opt"])
    security, idle = completed(
        Security(
            cap_add=options["cap_add"],
            cap_drop=options["cap_drop"],
            privileged=options["privileged"],
            options=texts,
            require_confinement=options["require_confinement"],
        )
    )
    for text in idle:
        tell(f"sandbox: warning: {text} has no effect")
    return security


_NAMES = ("cap_add", "cap_drop", "privileged", "security_opt", "require_confinement")


def _with_profile(text: str) -> str:
    """Return the option; the file of seccomp=FILE is replaced by its content, as in Docker."""
    from sandbox.models.security import split_option

    name, value = split_option(text)
    if name != "seccomp" or value in (BUILTIN, UNCONFINED):
        return text
    from sandbox.runtime.seccomp.profile import compact

    try:
        with (
            map_os_errors(f"opening seccomp profile ({value}) failed"),
            open(value, encoding="utf-8") as file,
        ):
            return f"seccomp={compact(file.read())}"
    except UnicodeDecodeError as exc:
        raise UsageError(f"compacting json for seccomp profile ({value}) failed: {exc}") from None


def namespaces_of(options: dict[str, Any]) -> Namespaces:
    """Return the modes that the flags choose."""
    return checked(options["ipc"], options["uts"], hostname=options["hostname"])
