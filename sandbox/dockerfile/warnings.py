# SPDX-License-Identifier: MIT
"""Warnings, and who may say them. Pure."""

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
class Warning:  # noqa: A001 -- what it is called everywhere else
    """One violation of a rule."""

    rule: str
    message: str
    span: Span

    def __str__(self) -> str:
        """Return the line that a build shows."""
        return f"{self.rule}: {self.message} (line {self.span.first})"

    @property
    def description(self) -> str:
        """What the rule says."""
        return DESCRIPTIONS[self.rule]

    @property
    def url(self) -> str:
        """Where Docker explains it."""
        return rule_url(self.rule)


@dataclass(frozen=True)
class Checked:
    """The warnings in the order of the file; ``fails`` when the file wants them as errors."""

    warnings: tuple[Warning, ...]
    fails: bool
    error: SandboxError | None = None
    """What is wrong in the file, or cannot be planned: a build would end with it."""

    @property
    def summary(self) -> str:
        """The error BuildKit ends with when warnings are errors."""
        rules = sorted({warning.rule for warning in self.warnings})
        return f"lint violation found for rules: {', '.join(rules)}"


class Warner:
    """Collects warnings of one file, if the file and the user want them."""

    def __init__(self, dockerfile: Dockerfile, options: CheckOptions) -> None:
        """Warn of nothing yet."""
        self.dockerfile = dockerfile
        self.options = options
        self.found: list[Warning] = []

    def warn(
        self, rule: str, message: str, culprit: Instruction, *, span: Span | None = None
    ) -> None:
        """Note a violation of *rule* by *culprit*."""
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
