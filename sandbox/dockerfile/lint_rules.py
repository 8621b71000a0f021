# SPDX-License-Identifier: MIT
"""The rules of ``--check`` under BuildKit's names, and the directive that selects them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.dockerfile.go_text import quoted
from sandbox.dockerfile.words import ArgumentError

_URL = "https://docs.docker.com/go/dockerfile/rule/"
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})

DESCRIPTIONS = {
    "StageNameCasing": "Stage names should be lowercase",
    "FromAsCasing": "The 'as' keyword should match the case of the 'from' keyword",
    "NoEmptyContinuation": "Empty continuation lines will become errors in a future release",
    "ConsistentInstructionCasing": "All commands within the Dockerfile should use the same casing"
    " (either upper or lower)",
    "DuplicateStageName": "Stage names should be unique",
    "ReservedStageName": "Reserved words should not be used as stage names",
    "JSONArgsRecommended": "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended"
    " behavior related to OS signals",
    "MaintainerDeprecated": "The MAINTAINER instruction is deprecated, use a label instead to"
    " define an image author",
    "UndefinedArgInFrom": "FROM command must use declared ARGs",
    "WorkdirRelativePath": "Relative workdir without an absolute workdir declared within the build"
    " can have unexpected results if the base image changes",
    "UndefinedVar": "Variables should be defined before their use",
    "MultipleInstructionsDisallowed": "Multiple instructions of the same type should not be used"
    " in the same stage",
    "LegacyKeyValueFormat": "Legacy key/value format with whitespace separator should not be used",
    "RedundantTargetPlatform": "Setting platform to predefined $TARGETPLATFORM in FROM is redundant"
    " as this is the default behavior",
    "SecretsUsedInArgOrEnv": "Sensitive data should not be used in the ARG or ENV commands",
    "InvalidDefaultArgInFrom": "Default value for global ARG results in an empty or invalid base"
    " image name",
    "FromPlatformFlagConstDisallowed": "FROM --platform flag should not use a constant value",
    "CopyIgnoredFile": "Attempting to Copy file that is excluded by .dockerignore",
    "InvalidDefinitionDescription": "Comment for build stage or argument should follow the format:"
    " `# <arg/stage name> <description>`. If this is not intended to be a description comment, add"
    " an empty line or comment between the instruction and the comment.",
    "ExposeProtoCasing": "Protocol in EXPOSE instruction should be lowercase",
    "ExposeInvalidFormat": "IP address and host-port mapping should not be used in EXPOSE"
    " instruction. This will become an error in a future release",
}
EXPERIMENTAL = frozenset({"CopyIgnoredFile", "InvalidDefinitionDescription"})
"""Rules that apply only if the directive names them."""


@dataclass(frozen=True)
class CheckOptions:
    """A parsed directive ``# check=skip=A,B;error=true;experimental=C``."""

    skip: frozenset[str] = frozenset()
    skip_all: bool = False
    experimental: frozenset[str] = frozenset()
    experimental_all: bool = False
    error: bool = False

    def wants(self, rule: str) -> bool:
        """Return whether a violation of *rule* is reported."""
        if rule in EXPERIMENTAL:
            return self.experimental_all or rule in self.experimental
        return not self.skip_all and rule not in self.skip

    def merged(self, other: CheckOptions) -> CheckOptions:
        """Return the union of both."""
        return CheckOptions(
            self.skip | other.skip,
            self.skip_all or other.skip_all,
            self.experimental | other.experimental,
            self.experimental_all or other.experimental_all,
            self.error or other.error,
        )


def parse_check(text: str | None) -> CheckOptions:
    """Return the options in the text of a check directive. Raises ArgumentError."""
    if text is None or not text.strip():
        return CheckOptions()
    found: dict[str, str] = {}
    for part in text.strip().split(";", 2):
        key, equals, value = part.partition("=")
        name = key.strip()
        if not equals or name not in ("skip", "error", "experimental"):
            shown = name if equals else part
            raise ArgumentError(
                f"failed to parse check options: invalid check option {quoted(shown)}"
            )
        found[name] = value.strip()
    error = found.get("error", "false")
    if error not in _TRUE | _FALSE:
        raise ArgumentError(f"failed to parse check option {quoted('error=' + error)}")
    skip, experimental = found.get("skip", ""), found.get("experimental", "")
    return CheckOptions(
        skip=_names(skip),
        skip_all=skip == "all",
        experimental=_names(experimental),
        experimental_all=experimental == "all",
        error=error in _TRUE,
    )


def rule_url(rule: str) -> str:
    """Return the address of the page that explains a rule.

    >>> rule_url("JSONArgsRecommended")
    'https://docs.docker.com/go/dockerfile/rule/json-args-recommended/'
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+", rule)
    return f"{_URL}{'-'.join(word.lower() for word in words)}/"


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
