# SPDX-License-Identifier: MIT
"""How a build fails."""

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
    """A step failed; *excerpt* is what people want to see of it before the message."""

    def __init__(self, message: str, *, excerpt: str = "", begun: bool = True) -> None:
        """Keep the reason; the words before it, once the build has *begun*, are BuildKit's."""
        super().__init__(f"failed to solve: {message}" if begun else message)
        self.reason = message
        self.excerpt = excerpt


class StepFailed(SandboxError):
    """One step failed; whoever knows its place in the file says where."""


class Cancelled(SandboxError):
    """Another step failed, or the user wants no more."""


@contextmanager
def placed(dockerfile: Dockerfile, span: Span) -> Iterator[None]:
    """Say of any failure of the block that it is about *span*, if nobody said it better."""
    try:
        yield
    except (BuildFailed, Cancelled, DockerfileError):
        raise
    except SandboxError as exc:
        shown = snippet(dockerfile.text, span, name=dockerfile.name)
        raise BuildFailed(exc.message, excerpt=shown) from exc
