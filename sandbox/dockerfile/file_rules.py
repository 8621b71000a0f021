# SPDX-License-Identifier: MIT
"""The rules of ``--check`` that look at the file as a whole. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import LanguageError, located
from sandbox.dockerfile.expand import Style, expansion
from sandbox.dockerfile.go_text import quoted, suggestion
from sandbox.dockerfile.planner import global_arguments
from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.dockerfile.warnings import Warner, Warning  # noqa: A004 - the language's own word
from sandbox.errors import ReferenceSyntaxError, UsageError
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.dockerfile.expand import Expansion
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import Wanted
    from sandbox.dockerfile.stages import Stage

_RESERVED = ("context", "scratch")
_DEFAULT = PlatformName("linux", "amd64")


class FileRules(Warner):
    """Checks names of stages, letter case, comments and base images."""

    def written(self) -> None:
        """Check what needs no plan: continuations, MAINTAINER, comments, FROM lines."""
        for span in self.dockerfile.empty_continuations:
            if self.options.wants("NoEmptyContinuation"):
                self.found.append(Warning("NoEmptyContinuation", "Empty continuation line", span))
        for argument in self.dockerfile.arguments:
            self._definition("ARG", [a.name for a in argument.arguments], argument)
        for stage in self.dockerfile.stages:
            self._stage_line(stage.base)
            self._definition("FROM", [stage.name] if stage.name else [], stage.base)
            for instruction in stage.instructions:
                if isinstance(instruction, ins.Arg):
                    names = [argument.name for argument in instruction.arguments]
                    self._definition("ARG", names, instruction)
                elif isinstance(instruction, ins.Maintainer):
                    text = "Maintainer instruction is deprecated in favor of using label"
                    self.warn("MaintainerDeprecated", text, instruction)

    def _stage_line(self, base: ins.From) -> None:
        if base.name_as_written != base.name:
            text = f"Stage name '{base.name_as_written}' should be lowercase"
            self.warn("StageNameCasing", text, base)
        if base.as_keyword and not _same_case(base.keyword, base.as_keyword):
            text = f"'{base.as_keyword}' and '{base.keyword}' keywords' casing do not match"
            self.warn("FromAsCasing", text, base)

    def names(self) -> None:
        """Check that stage names are unique and not reserved."""
        seen: set[str] = set()
        for stage in self.dockerfile.stages:
            base = stage.base
            if base.name in _RESERVED:
                text = "Stage name should not use the same name as reserved stage"
                self.warn("ReservedStageName", f"{text} {quoted(base.name)}", base)
            if base.name in seen:
                text = f"Duplicate stage name {quoted(base.name)}, stage names should be unique"
                self.warn("DuplicateStageName", text, base)
            seen |= {base.name} - {""}

    def casing(self) -> None:
        """Check that all keywords have the same case."""
        everything = [
            i for stage in self.dockerfile.stages for i in (stage.base, *stage.instructions)
        ]
        lower = sum(i.keyword == i.keyword.lower() for i in everything)
        upper = sum(i.keyword == i.keyword.upper() for i in everything)
        wanted, name = (str.lower, "lowercase") if lower > upper else (str.upper, "uppercase")
        for instruction in everything:
            if wanted(instruction.keyword) != instruction.keyword:
                text = f"Command '{instruction.keyword}' should match the case of the command"
                self.warn("ConsistentInstructionCasing", f"{text} majority ({name})", instruction)

    def _definition(self, kind: str, names: list[str], culprit: Instruction) -> None:
        if not culprit.comments or not names or culprit.comments[-1].split(" ")[0] in names:
            return
        example = names[0] if len(names) == 1 else "<arg_key>"
        text = f"Comment for {kind} should follow the format: `# {example} <description>`"
        self.warn("InvalidDefinitionDescription", text, culprit)

    def bases(self, wanted: Wanted) -> None:
        """Check the image and the platform of each FROM."""
        self._default_bases(replace(wanted, build_arguments={}))
        arguments = global_arguments(self.dockerfile, wanted)
        declared = {a.name for i in self.dockerfile.arguments for a in i.arguments} | {*arguments}
        for stage in self.dockerfile.stages:
            words = [stage.base.image, *([stage.base.platform] if stage.base.platform else [])]
            for word in words:
                with located(self.dockerfile, stage.base.span):
                    found = self._expanded(word, arguments)
                for name in sorted(found.unknown - declared):
                    near = suggestion(name, sorted(declared))
                    text = f"FROM argument '{name}' is not declared"
                    text += f" (did you mean {near}?)" if near else ""
                    self.warn("UndefinedArgInFrom", text, stage.base)
            if stage.base.platform:
                self._platform(stage, arguments)

    def _default_bases(self, wanted: Wanted) -> None:
        try:
            arguments = global_arguments(self.dockerfile, wanted)
        except UsageError:
            return  # the file needs build arguments; BuildKit does not warn of that
        for stage in self.dockerfile.stages:
            try:
                name = self._expanded(stage.base.image, arguments).text
                parse_reference(name)
            except LanguageError:
                return
            except ReferenceSyntaxError:
                text = f"Default value for ARG {stage.base.image} results in empty or invalid"
                self.warn("InvalidDefaultArgInFrom", f"{text} base image name", stage.base)

    def _platform(self, stage: Stage, arguments: Mapping[str, str]) -> None:
        written = stage.base.platform
        found = self._expanded(written, arguments)
        only_target = found.used == {"TARGETPLATFORM"} and not found.unknown
        if only_target and found.text == arguments["TARGETPLATFORM"]:
            text = f"Setting platform to predefined {written} in FROM is redundant as this is"
            self.warn("RedundantTargetPlatform", f"{text} the default behavior", stage.base)
        if found.used or found.unknown:
            return
        try:
            platform = parse_platform(found.text, default=_DEFAULT)
        except LanguageError:
            return
        if platform.system not in stage.name and platform.machine not in stage.name:
            text = f"FROM --platform flag should not use constant value {quoted(found.text)}"
            self.warn("FromPlatformFlagConstDisallowed", text, stage.base)

    def _expanded(self, word: str, variables: Mapping[str, str]) -> Expansion:
        return expansion(word, variables, Style(self.dockerfile.directives.escape))


def _same_case(keyword: str, other: str) -> bool:
    if keyword == keyword.lower():
        return other == other.lower()
    return keyword != keyword.upper() or other == other.upper()
