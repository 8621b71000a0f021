# SPDX-License-Identifier: MIT
"""The line format of a trace, which csrc/guest/trace.c writes.

=======================================================================  =================
``PID WAY NS name(ARGUMENTS) = RESULT "path" "path" > "host" "host"``    a call
``PID x 0 execve() = 0 "program" > "host"``                              a new program
``PID n 0 name: TEXT``                                                   a remark
=======================================================================  =================

WAY is t (trapped), r (rewritten site) or p (ptrace); NS is the duration in nanoseconds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = re.compile(rb"(\d+) ([trpxn]) (\d+) (\w+)")
_CALL = re.compile(rb"\(([^)]*)\) = (\S+)((?: \"(?:\\.|[^\"\\])*\")*)(?: >(.*))?")
_STRING = re.compile(rb'"((?:\\.|[^"\\])*)"')
_ESCAPE = re.compile(rb"\\(x[0-9a-f]{2}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """One intercepted call. Strings are the guest's.

    *hosts* are the paths on the host for *paths*.
    """

    pid: int
    way: str
    nanoseconds: int
    name: str
    arguments: tuple[int, ...]
    result: str
    paths: tuple[bytes, ...]
    hosts: tuple[bytes, ...]

    @property
    def is_error(self) -> bool:
        """Return whether the call failed."""
        return self.result.startswith("-")


@dataclass(frozen=True, slots=True)
class Remark:
    """A note that a call was refused, or only pretended to succeed."""

    pid: int
    name: str
    text: str


def parse(line: bytes) -> Call | Remark | None:
    r"""Return the content of a line; None if it is not a line of a trace.

    >>> parse(b'7 t 90 openat(0xffffff9c,0x1) = -ENOENT "a\\x0ab" > "/up/a\\x0ab"')
    ... # doctest: +NORMALIZE_WHITESPACE
    Call(pid=7, way='t', nanoseconds=90, name='openat', arguments=(4294967196, 1),
    result='-ENOENT', paths=(b'a\nb',), hosts=(b'/up/a\nb',))
    >>> parse(b"7 n 0 chown: pretended")
    Remark(pid=7, name='chown', text='pretended')
    """
    head = _HEAD.match(line)
    if head is None:
        return None
    pid, way, name = int(head[1]), head[2].decode(), head[4].decode()
    rest = line[head.end() :].rstrip(b"\n")
    if way == "n":
        return Remark(pid, name, rest.removeprefix(b": ").decode("utf-8", "replace"))
    call = _CALL.match(rest)
    if call is None:
        return None
    arguments = tuple(int(word, 16) for word in call[1].split(b",") if word)
    result = call[2].decode()
    return Call(
        pid, way, int(head[3]), name, arguments, result, _strings(call[3]), _strings(call[4] or b"")
    )


def _strings(text: bytes) -> tuple[bytes, ...]:
    return tuple(_ESCAPE.sub(_unescaped, string) for string in _STRING.findall(text))


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = match[1]
    return bytes([int(code[1:], 16)]) if len(code) == 3 else code
