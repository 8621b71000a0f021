# SPDX-License-Identifier: MIT
"""The lines of a trace."""

from __future__ import annotations

import pytest

from sandbox.trace.lines import Call, Remark, parse


def test_a_call_has_arguments_a_result_and_paths() -> None:
    line = rb'7 t 90 rename(0x1,0xff) = -ENOENT "a\x22b" "c" > "/up/a" "/up/c"'
    assert parse(line) == Call(
        7, "t", 90, "rename", (1, 255), "-ENOENT", (b'a"b', b"c"), (b"/up/a", b"/up/c")
    )


def test_paths_are_bytes_with_everything_escaped_undone() -> None:
    found = parse(rb'1 r 5 open(0x1) = 3 "\xff\x0a\\"')
    assert isinstance(found, Call)
    assert found.paths == (b"\xff\n\\",)
    assert not found.is_error


def test_a_call_may_have_no_arguments_and_no_paths() -> None:
    found = parse(b"1 p 0 getpid() = 7\n")
    assert isinstance(found, Call)
    assert (found.arguments, found.paths, found.hosts) == ((), (), ())


def test_a_remark_is_text() -> None:
    assert parse(b"8 n 0 chown: only pretended\n") == Remark(8, "chown", "only pretended")


@pytest.mark.parametrize("line", [b"", b"hello", b"7 q 0 x() = 0", b"7 t 0 x(", b"x t 0 y() = 0"])
def test_what_is_no_line_of_a_trace_is_none(line: bytes) -> None:
    assert parse(line) is None
