# SPDX-License-Identifier: MIT
"""Sources that are fetched from a git repository or a URL."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.remote_sources import is_git, is_git_context, is_url


@pytest.mark.parametrize(
    "text",
    [
        "git://host/x",
        "git@github.com:a/b",
        "ssh://git@host/x",
        "https://host/a.git",
        "https://host/a.git#branch:dir",
        "http://host/a.git?ref=x",
    ],
)
def test_these_sources_are_git_repositories(text: str) -> None:
    assert is_git(text)


@pytest.mark.parametrize(
    "text", ["https://host/a.tar", "https://host/a.git/b", "a.git", "git@host/x", "github.com/a/b"]
)
def test_these_sources_are_not_git_repositories(text: str) -> None:
    assert not is_git(text)


def test_only_a_context_may_omit_the_scheme() -> None:
    assert is_git_context("github.com/a/b")
    assert not is_git_context("gitlab.com/a/b")


def test_a_url_begins_with_its_scheme() -> None:
    assert is_url("http://x/y")
    assert is_url("https://x")
    assert not is_url("ftp://x")
    assert not is_url("/http://x")
