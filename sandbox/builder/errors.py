# SPDX-License-Identifier: MIT
"""How a build fails."""

# ruff: noqa: N818  -- as in sandbox.errors

from __future__ import annotations

from sandbox.errors import SandboxError


class BuildFailed(SandboxError):
    """A step failed; *excerpt* is what people want to see of it before the message."""

    def __init__(self, message: str, *, excerpt: str = "") -> None:
        """Keep the reason; the words before it are BuildKit's."""
        super().__init__(f"failed to solve: {message}")
        self.reason = message
        self.excerpt = excerpt


class StepFailed(SandboxError):
    """One step failed; whoever knows its place in the file says where."""


class Cancelled(SandboxError):
    """Another step failed, or the user wants no more."""
