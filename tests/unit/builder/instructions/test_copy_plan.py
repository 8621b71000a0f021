# SPDX-License-Identifier: MIT
"""The decisions of COPY, on views that are dictionaries."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import BinaryIO

import pytest

from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import Fact
from sandbox.builder.instructions.copy_plan import Target, Wanted, plan
from sandbox.builder.instructions.patterns import go_pattern
from sandbox.errors import CorruptData


@dataclass
class Tree:
    """A tree as a dictionary; "->TARGET" is a symlink, None a directory."""

    nodes: dict[str, str | None]
    modes: dict[str, int] = field(default_factory=dict)

    def fact(self, path: bytes) -> Fact | None:
        name = path.decode()
        if not name:
            return Fact("d", 0o755)
        if name not in self.nodes:
            return None
        value = self.nodes[name]
        mode = self.modes.get(name, 0o755 if value is None else 0o644)
        if value is None:
            return Fact("d", mode, mtime_ns=7)
        if value.startswith("->"):
            return Fact("l", 0o777, link=value[2:].encode())
        return Fact("f", mode, size=len(value), mtime_ns=5)

    def names(self, path: bytes) -> list[bytes]:
        prefix = path.decode() + "/" if path else ""
        found = {name[len(prefix) :] for name in self.nodes if name.startswith(prefix)}
        return sorted(name.encode() for name in found if name and "/" not in name)

    def open(self, path: bytes) -> BinaryIO:
        return io.BytesIO((self.nodes[path.decode()] or "").encode())


SOURCE = Tree({"d": None, "d/x": "x", "d/e": None, "d/e/y": "y", "f": "f", "l": "->d/x"})


def copied(*sources: str, to: str, stage: Tree | None = None, **options: object) -> list[str]:
    target = Target(to, **options)  # type: ignore[arg-type]
    result = plan([Wanted(SOURCE, source) for source in sources], target, stage or Tree({}))
    return [path.decode() for path in sorted(result.pieces)]


@pytest.mark.parametrize(
    ("sources", "to", "stage", "expected"),
    [
        (["f"], "/new", {}, ["new"]),
        (["f"], "/new/", {}, ["new", "new/f"]),
        (["f"], "/dir", {"dir": None}, ["dir", "dir/f"]),
        (["f"], ".", {}, ["f"]),
        (["d"], "/to", {}, ["to", "to/e", "to/e/y", "to/x"]),
        (["d/*"], "/to/", {}, ["to", "to/x", "to/y"]),
        (["f", "d/x"], "/to/", {}, ["to", "to/f", "to/x"]),
        (["l"], "/to/", {}, ["to", "to/l"]),
        (["f"], "/link/", {"link": "->real", "real": None}, ["real", "real/f"]),
        (["n*"], "/to/", {}, []),
    ],
)
def test_each_source_goes_to_the_place_that_docker_gives_it(
    sources: list[str], to: str, stage: dict[str, str | None], expected: list[str]
) -> None:
    assert copied(*sources, to=to, stage=Tree(stage)) == expected


def test_a_symlink_as_the_source_is_followed() -> None:
    result = plan([Wanted(SOURCE, "l")], Target("/to"), Tree({}))
    assert result.pieces[b"to"].fact.kind == "f"


def test_an_existing_directory_keeps_its_mode() -> None:
    result = plan([Wanted(SOURCE, "f")], Target("/a/"), Tree({"a": None}, {"a": 0o700}))
    assert result.pieces[b"a"].fact.mode == 0o700
    assert result.pieces[b"a"].is_given


def test_parents_are_kept_from_the_pivot_on() -> None:
    assert copied("d/e/y", to="/to/", parents=True) == ["to", "to/d", "to/d/e", "to/d/e/y"]
    assert copied("d/./e/y", to="/to/", parents=True) == ["to", "to/e", "to/e/y"]


def test_a_file_cannot_be_used_as_a_directory() -> None:
    with pytest.raises(StepFailed, match="cannot copy to non-directory: /e"):
        copied("d", to="/", stage=Tree({"e": "file"}))
    with pytest.raises(StepFailed, match="not a directory"):
        copied("f", to="/file/under", stage=Tree({"file": "file"}))


def test_a_missing_source_is_named() -> None:
    with pytest.raises(StepFailed, match='"/no": not found'):
        copied("no", to="/")


def test_the_digest_covers_content_and_modes_but_not_times() -> None:
    def digest(tree: Tree, **options: object) -> str:
        return plan([Wanted(tree, "/")], Target("/", **options), Tree({})).digest()  # type: ignore[arg-type]

    one = digest(Tree({"a": "1"}))
    assert one == digest(Tree({"a": "1"}), now_ns=99)
    assert one != digest(Tree({"a": "2"}))
    assert one != digest(Tree({"a": "1"}, {"a": 0o600}))
    assert one != digest(Tree({"b": "1"}))
    assert one != digest(Tree({"a": "1"}), owner=(1, 1))


@pytest.mark.parametrize(
    ("pattern", "name", "fits"),
    [
        (b"*.go", b"a.go", True),
        (b"*", b".hidden", True),
        (b"a?c", b"abc", True),
        (b"[a-c]x", b"bx", True),
        (b"[^a-c]x", b"bx", False),
        (b"\\*", b"*", True),
        (b"\\*", b"a", False),
    ],
)
def test_patterns_match_as_in_go(pattern: bytes, name: bytes, fits: bool) -> None:
    assert bool(go_pattern(pattern).fullmatch(name)) is fits


@pytest.mark.parametrize("pattern", [b"[]a]", b"[a", b"[^]", b"[a\\"])
def test_patterns_that_go_refuses_are_refused(pattern: bytes) -> None:
    with pytest.raises(CorruptData, match="syntax error in pattern"):
        go_pattern(pattern)
