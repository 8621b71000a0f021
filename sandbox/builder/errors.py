# SPDX-License-Identifier: MIT
"""The errors of a build."""

# ruff: noqa: N818  -- as in sandbox.errors

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import DockerfileError, snippet
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.dockerfile.instructions import Span
    from sandbox.dockerfile.stages import Dockerfile


class BuildFailed(SandboxError):
    """A step failed; *excerpt* shows its place in the file, before the message."""

    def __init__(self, message: str, *, excerpt: str = "", begun: bool = True) -> None:
        """Keep the reason; after the build has *begun*, BuildKit's prefix stands before it."""
        super().__init__(f"failed to solve: {message}" if begun else message)
        self.reason = message
        self.excerpt = excerpt


class StepFailed(SandboxError):
    """One step failed; a caller adds its place in the file."""


class Cancelled(SandboxError):
    """Another step failed, or the user cancelled the build."""


@contextmanager
def placed(dockerfile: Dockerfile, span: Span) -> Iterator[None]:
    """Add the place *span* to any failure of the block that has no place yet."""
    try:
        yield
    except (BuildFailed, Cancelled, DockerfileError):
        raise
    except SandboxError as exc:
        shown = snippet(dockerfile.text, span, name=dockerfile.name)
        raise BuildFailed(exc.message, excerpt=shown) from exc
