# SPDX-License-Identifier: MIT
"""Formats a call as strace does, with python-ptrace's tables.

Rules: it never reads memory of a guest. A pointer is shown as a path from the trace, or in hex.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ptrace.func_call import FunctionCall, FunctionCallOptions
from ptrace.syscall import FILENAME_ARGUMENTS, SYSCALL_PROTOTYPES, SyscallArgument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.trace.lines import Call

_OPTIONS = FunctionCallOptions()
_NUMBER = re.compile(r"^<?([A-Z]\w*(?:\|\w+)*)>? \(\w+\)$")  # "O_RDONLY (0o0)"
_AT_FDCWD = 0xFFFFFF9C
_WAYS = {"t": "trapped", "r": "rewritten", "p": "ptrace", "x": "new program"}
# Calls that the tables lack, with an older call whose arguments are the same or a prefix.
_LIKE = {
    "faccessat2": "faccessat",
    "fchmodat2": "fchmodat",
    "epoll_pwait2": "epoll_pwait",
    "openat2": "openat",
}


def text_of(call: Call) -> str:
    """Return ``name(arguments) = result``."""
    result = call.result
    if result.startswith("-E"):
        result = f"-1 {result[1:]}"
    return f"{call.name}({', '.join(_arguments(call))}) = {result}"


def remark_of(call: Call) -> str:
    """Return what strace cannot show: the paths on the host, the way in, the duration."""
    parts = []
    if call.hosts and call.hosts != call.paths:
        parts.append(" ".join(_quoted(host) for host in call.hosts))
    parts.append(_WAYS[call.way])
    if call.nanoseconds:
        parts.append(f"{call.nanoseconds / 1000:.1f} us")
    return ", ".join(parts)


def _arguments(call: Call) -> Iterator[str]:
    paths = list(call.paths)
    if not call.arguments:
        yield from map(_quoted, paths)
        return
    prototype = SYSCALL_PROTOTYPES.get(_LIKE.get(call.name, call.name))
    if prototype is None:
        yield from map(hex, call.arguments)
        return
    function = FunctionCall(call.name, _OPTIONS, SyscallArgument)
    for (kind, name), value in zip(prototype[1], call.arguments, strict=False):
        function.addArgument(value, name, kind)
        argument = function.arguments[-1]
        if kind.endswith("*"):
            is_path = name in FILENAME_ARGUMENTS and "const char" in kind
            argument.text = _quoted(paths.pop(0)) if is_path and paths else _pointer(value)
        elif name.endswith(("dirfd", "dfd")):
            is_cwd = value & 0xFFFFFFFF == _AT_FDCWD
            argument.text = "AT_FDCWD" if is_cwd else str(value & 0xFFFFFFFF)
        text = argument.format()
        if text:  # an unused mode has no text
            yield _NUMBER.sub(r"\1", text)
    yield from map(_quoted, paths)


def _pointer(value: int) -> str:
    return hex(value) if value else "NULL"


def _quoted(path: bytes) -> str:
    text = os.fsdecode(path).replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else repr(c)[1:-1] for c in text) + '"'
