# SPDX-License-Identifier: MIT
"""Recognises sources of ADD, and contexts, that must be fetched. Pure."""

from __future__ import annotations

import re

_GIT = re.compile(r"git://|git@[^/:]+:|ssh://|https?://[^#?]+\.git(?:[#?]|$)")
_SHORT = "github.com/"


def is_url(text: str) -> bool:
    """Return whether *text* is an HTTP or HTTPS address."""
    return text.startswith(("http://", "https://"))


def is_git(text: str) -> bool:
    """Return whether the source *text* is a git repository, by BuildKit's rules."""
    return _GIT.match(text) is not None


def is_git_context(text: str) -> bool:
    """Return whether the context *text* is a git repository; it may lack the scheme.

    >>> is_git("github.com/a/b"), is_git_context("github.com/a/b")
    (False, True)
    """
    return is_git(text) or text.startswith(_SHORT)
