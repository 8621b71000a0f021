# SPDX-License-Identifier: MIT
"""Warnings of ``--check``, and their collector. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import located
from sandbox.dockerfile.lint_rules import DESCRIPTIONS, CheckOptions, parse_check, rule_url

if TYPE_CHECKING:
    from sandbox.dockerfile.instructions import Instruction, Span
    from sandbox.dockerfile.stages import Dockerfile
    from sandbox.errors import SandboxError


@dataclass(frozen=True)
class Warning:  # noqa: A001 -- BuildKit's and Docker's word
    """One violation of a rule."""

    rule: str
    message: str
    span: Span

    def __str__(self) -> str:
        """Return the line that a build prints."""
        return f"{self.rule}: {self.message} (line {self.span.first})"

    @property
    def description(self) -> str:
        """The text of the rule."""
        return DESCRIPTIONS[self.rule]

    @property
    def url(self) -> str:
        """The address of the page that explains the rule."""
        return rule_url(self.rule)


@dataclass(frozen=True)
class Checked:
    """The warnings in the order of the file; ``fails`` if the file makes them errors."""

    warnings: tuple[Warning, ...]
    fails: bool
    error: SandboxError | None = None
    """The error in parsing or planning the file; a build would end with it."""

    @property
    def summary(self) -> str:
        """The message of BuildKit's error when warnings are errors."""
        rules = sorted({warning.rule for warning in self.warnings})
        return f"lint violation found for rules: {', '.join(rules)}"


class Warner:
    """Collects the warnings about one file, except those that are switched off."""

    def __init__(self, dockerfile: Dockerfile, options: CheckOptions) -> None:
        """Start without warnings."""
        self.dockerfile = dockerfile
        self.options = options
        self.found: list[Warning] = []

    def warn(
        self, rule: str, message: str, culprit: Instruction, *, span: Span | None = None
    ) -> None:
        """Record a violation of *rule* by *culprit*, unless a directive or comment skips it."""
        options = self.options
        for comment in culprit.comments:
            name, equals, value = comment.partition("=")
            if equals and name.strip() == "check":
                options = options.merged(self._check_of(value, culprit))
        if options.wants(rule):
            self.found.append(Warning(rule, message, span or culprit.span))

    def _check_of(self, text: str, culprit: Instruction) -> CheckOptions:
        with located(self.dockerfile, culprit.span):
            return parse_check(text)
