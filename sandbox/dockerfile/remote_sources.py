# SPDX-License-Identifier: MIT
"""Which sources of ADD, and which contexts, are fetched from elsewhere. Pure."""

from __future__ import annotations

import re

_GIT = re.compile(r"git://|git@[^/:]+:|ssh://|https?://[^#?]+\.git(?:[#?]|$)")
_SHORT = "github.com/"


def is_url(text: str) -> bool:
    """Tell whether *text* is fetched with HTTP."""
    return text.startswith(("http://", "https://"))


def is_git(text: str) -> bool:
    """Tell whether the source *text* is a git repository, as BuildKit sees it."""
    return _GIT.match(text) is not None


def is_git_context(text: str) -> bool:
    """Tell the same of a context, which may leave out the scheme where a source is a path.

    >>> is_git("github.com/a/b"), is_git_context("github.com/a/b")
    (False, True)
    """
    return is_git(text) or text.startswith(_SHORT)
