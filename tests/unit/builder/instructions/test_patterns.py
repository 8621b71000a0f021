# SPDX-License-Identifier: MIT
"""Patterns of COPY and ADD."""

from __future__ import annotations

import pathlib

import pytest

from sandbox.builder.file_views import HostView, Written
from sandbox.builder.instructions.patterns import deep_matches, go_pattern, has_pattern, matches
from sandbox.errors import SandboxError

FLAT = Written({b"a.txt": b"", b"b.txt": b"", b"[x]": b"", b".hidden": b""})


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.txt", [b"a.txt", b"b.txt"]),
        ("?.txt", [b"a.txt", b"b.txt"]),
        ("[a-a].*", [b"a.txt"]),
        ("[^a].txt", [b"b.txt"]),
        ("\\[x]", [b"[x]"]),
        ("*", [b".hidden", b"[x]", b"a.txt", b"b.txt"]),
        ("none*", []),
    ],
)
def test_a_pattern_finds_names(pattern: str, found: list[bytes]) -> None:
    assert sorted(matches(FLAT, pattern)) == found


@pytest.mark.parametrize("text", ["a*", "a?", "[a]", "a\\b"])
def test_these_are_patterns(text: str) -> None:
    assert has_pattern(text)
    assert not has_pattern("plain/name")


def test_a_star_stays_in_one_name() -> None:
    assert go_pattern(b"*").fullmatch(b"a/b") is None
    assert go_pattern(b"a?c").fullmatch(b"a/c") is None


@pytest.mark.parametrize("part", [b"[", b"[a", b"[]", b"[^]"])
def test_a_pattern_that_go_refuses_is_refused(part: bytes) -> None:
    with pytest.raises(SandboxError):
        go_pattern(part)


def test_a_range_that_ends_before_it_begins_matches_nothing() -> None:
    assert go_pattern(b"[z-a]").fullmatch(b"m") is None
    assert go_pattern(b"[z-ab]").fullmatch(b"b") is not None
    assert go_pattern(b"[^z-a]").fullmatch(b"m") is not None


def test_two_stars_go_deep(tmp_path: pathlib.Path) -> None:
    root = tmp_path
    (root / "d" / "e").mkdir(parents=True)
    for name in ("x.py", "d/y.py", "d/e/z.py", "d/e/z.txt"):
        (root / name).touch()
    view = HostView(str(root))
    found = deep_matches(view, b"", "**/*.py")
    assert sorted(found) == [b"d/e/z.py", b"d/y.py", b"x.py"]
