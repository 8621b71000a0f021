# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest

from sandbox.errors import CorruptData, UsageError
from sandbox.models.digest import digest_of
from sandbox.models.lockfile import Lockfile, lockfile_bytes, parse_lockfile
from sandbox.models.reference import parse_reference

ONE, TWO = digest_of(b"one"), digest_of(b"two")
FULL = "docker.io/library/alpine:3.20"


def lock(*, strict: bool = False) -> Lockfile:
    return Lockfile("a.lock", {FULL: ONE}, strict)


def one(name: str) -> str:
    return json.dumps({"version": 1, "images": {name: str(ONE)}})


def test_a_lockfile_is_written_sorted_and_read_back() -> None:
    more = lock().with_digest(parse_reference("a.example/b:1"), TWO)
    text = lockfile_bytes(more)
    assert parse_lockfile(text, "a.lock") == more
    assert text.index(b"a.example") < text.index(b"docker.io")
    assert text.endswith(b"}\n")


@pytest.mark.parametrize("name", ["alpine:3.20", "docker.io/library/alpine:3.20"])
def test_a_tag_becomes_its_digest(name: str) -> None:
    assert lock().pinned(name) == f"alpine@{ONE}"


@pytest.mark.parametrize("name", ["alpine", "other:3.20", f"alpine@{TWO}", "host", "f" * 64])
def test_names_that_are_not_locked_are_unchanged(name: str) -> None:
    assert lock().pinned(name) == name


def test_a_strict_lockfile_refuses_tags_that_it_lacks() -> None:
    with pytest.raises(UsageError, match=r"a\.lock does not lock docker\.io/library/alpine:latest"):
        lock(strict=True).pinned("alpine")
    assert lock(strict=True).pinned(f"alpine@{TWO}") == f"alpine@{TWO}"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not a lockfile"),
        ("[]", "not a lockfile"),
        ('{"version": 1}', "images"),
        ('{"version": 2, "images": {}}', "version 2"),
        ('{"version": 1, "images": {}, "more": 1}', "more"),
        (one("alpine:3"), "full name"),
        (one("docker.io/library/a"), "full name"),
        ('{"version": 1, "images": {"docker.io/library/a:1": "sha256:0"}}', "digest"),
        (one("A"), "lowercase"),
        ("[" * 100_000, "not a lockfile"),
    ],
)
def test_a_damaged_lockfile_is_refused(text: str, why: str) -> None:
    with pytest.raises(CorruptData, match=rf"a\.lock is .*{why}"):
        parse_lockfile(text.encode(), "a.lock")
