"""What ``--check`` warns of. Pure.

Rules: names, texts and places of the warnings are BuildKit's; a file that cannot be parsed or
planned is an error, not a warning. Without the environment of a base image (``environments``)
nothing is said of undefined variables in its stages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.errors import LanguageError, located
from sandbox.dockerfile.expand import Style, expansion
from sandbox.dockerfile.ignore import clean
from sandbox.dockerfile.plan import Scratch, StageSource, Wanted, global_arguments, plan
from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.dockerfile.ports import split_address
from sandbox.dockerfile.rules import DESCRIPTIONS, CheckOptions, parse_check, rule_url
from sandbox.dockerfile.scope import expand_instruction, first_scope
from sandbox.dockerfile.text import quoted, suggestion
from sandbox.errors import ReferenceSyntaxError
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.dockerfile.expand import Expansion
    from sandbox.dockerfile.ignore import IgnoreRules
    from sandbox.dockerfile.instructions import Instruction, Span
    from sandbox.dockerfile.plan import PlannedStage
    from sandbox.dockerfile.scope import Scope
    from sandbox.dockerfile.stages import Dockerfile, Stage

_RESERVED = ("context", "scratch")
_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)
_DEFAULT = PlatformName("linux", "amd64")


@dataclass(frozen=True)
class Warning:  # noqa: A001 -- what it is called everywhere else
    """One violation of a rule."""

    rule: str
    message: str
    span: Span

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

    @property
    def summary(self) -> str:
        """The error BuildKit ends with when warnings are errors."""
        rules = sorted({warning.rule for warning in self.warnings})
        return f"lint violation found for rules: {', '.join(rules)}"


def lint(
    dockerfile: Dockerfile,
    wanted: Wanted,
    *,
    ignore: IgnoreRules | None = None,
    environments: Mapping[int, Mapping[str, str]] | None = None,
) -> Checked:
    """Return the warnings about *dockerfile*; without a target, about all of its stages."""
    given = (wanted.build_arguments or {}).get("BUILDKIT_DOCKERFILE_CHECK")
    options = parse_check(dockerfile.directives.check if given is None else given)
    linter = _Linter(dockerfile, options)
    linter.names()
    linter.casing()
    linter.definitions()
    linter.bases(wanted)
    planned = plan(dockerfile, wanted, all_stages=not wanted.target)
    known = environments or {}
    scopes: dict[int, _State] = {}
    for stage in planned.stages:
        first = first_scope(
            known.get(stage.index, {}),
            build_arguments=wanted.build_arguments or {},
            global_arguments=planned.global_arguments,
            escape=dockerfile.directives.escape,
        )
        fresh = _State(first, isinstance(stage.base, Scratch) or stage.index in known)
        inherits = isinstance(stage.base, StageSource) and stage.base.index in scopes
        state = scopes[stage.base.index] if inherits else fresh  # type: ignore[union-attr]
        scopes[stage.index] = linter.stage(stage, state, ignore)
    warnings = tuple(sorted(linter.found, key=lambda warning: warning.span.first))
    return Checked(warnings, options.error and bool(warnings))


@dataclass(frozen=True)
class _State:
    """What a stage leaves to one that is based on it."""

    scope: Scope
    complete: bool
    """Whether all of the base's variables are known."""
    has_shell: bool = False
    has_workdir: bool = False


class _Linter:
    def __init__(self, dockerfile: Dockerfile, options: CheckOptions) -> None:
        self.dockerfile = dockerfile
        self.options = options
        self.found: list[Warning] = []

    def warn(
        self, rule: str, message: str, culprit: Instruction, *, span: Span | None = None
    ) -> None:
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

    def names(self) -> None:
        seen: set[str] = set()
        for stage in self.dockerfile.stages:
            base = stage.base
            if base.name_as_written != base.name:
                text = f"Stage name '{base.name_as_written}' should be lowercase"
                self.warn("StageNameCasing", text, base)
            if base.as_keyword and not _same_case(base.keyword, base.as_keyword):
                text = f"'{base.as_keyword}' and '{base.keyword}' keywords' casing do not match"
                self.warn("FromAsCasing", text, base)
            if base.name in _RESERVED:
                text = "Stage name should not use the same name as reserved stage"
                self.warn("ReservedStageName", f"{text} {quoted(base.name)}", base)
            if base.name in seen:
                text = f"Duplicate stage name {quoted(base.name)}, stage names should be unique"
                self.warn("DuplicateStageName", text, base)
            seen |= {base.name} - {""}

    def casing(self) -> None:
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
        for span in self.dockerfile.empty_continuations:
            culprit = replace(everything[0], span=span, comments=())
            self.warn("NoEmptyContinuation", "Empty continuation line", culprit)

    def definitions(self) -> None:
        for argument in self.dockerfile.arguments:
            self._definition("ARG", [a.name for a in argument.arguments], argument)
        for stage in self.dockerfile.stages:
            self._definition("FROM", [stage.name] if stage.name else [], stage.base)
            for instruction in stage.instructions:
                if isinstance(instruction, ins.Arg):
                    names = [argument.name for argument in instruction.arguments]
                    self._definition("ARG", names, instruction)

    def _definition(self, kind: str, names: list[str], culprit: Instruction) -> None:
        if not culprit.comments or not names or culprit.comments[-1].split(" ")[0] in names:
            return
        example = names[0] if len(names) == 1 else "<arg_key>"
        text = f"Comment for {kind} should follow the format: `# {example} <description>`"
        self.warn("InvalidDefinitionDescription", text, culprit)

    def bases(self, wanted: Wanted) -> None:
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
        except LanguageError:
            return
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

    def stage(self, stage: PlannedStage, state: _State, ignore: IgnoreRules | None) -> _State:
        last: dict[str, Instruction] = {}
        for instruction in stage.stage.instructions:
            expanded = self._variables(instruction, state)
            self._once(instruction, last)
            self._instruction(instruction, expanded, state, ignore)
            state = replace(
                state,
                scope=state.scope.after(expanded if isinstance(expanded, ins.Env) else instruction),
                has_shell=state.has_shell or isinstance(instruction, ins.Shell),
                has_workdir=state.has_workdir or isinstance(instruction, ins.Workdir),
            )
        return state

    def _variables(self, instruction: Instruction, state: _State) -> Instruction:
        seen: list[Expansion] = []
        with located(self.dockerfile, instruction.span):
            if isinstance(instruction, ins.Arg):
                state.scope.resolved(instruction, seen.append)
                expanded: Instruction = instruction
            else:
                expanded = expand_instruction(
                    instruction,
                    state.scope.variables,
                    escape=state.scope.escape,
                    watch=seen.append,
                )
        declared = {argument.name for argument in state.scope.arguments}
        unknown = sorted({name for one in seen for name in one.unknown} - declared)
        for name in unknown if state.complete else ():
            near = suggestion(name, sorted(state.scope.variables))
            text = f"Usage of undefined variable '${name}'"
            text += f" (did you mean ${near}?)" if near else ""
            self.warn("UndefinedVar", text, instruction)
        return expanded

    def _once(self, instruction: Instruction, last: dict[str, Instruction]) -> None:
        if isinstance(instruction, ins.Cmd | ins.Entrypoint | ins.Healthcheck):
            name = instruction.keyword.upper()
            if name in last:
                text = f"Multiple {instruction.keyword} instructions should not be used in the same"
                text += " stage because only the last one will be used"
                self.warn("MultipleInstructionsDisallowed", text, instruction, span=last[name].span)
            last[name] = instruction

    def _instruction(
        self,
        instruction: Instruction,
        expanded: Instruction,
        state: _State,
        ignore: IgnoreRules | None,
    ) -> None:
        match instruction:
            case ins.Env() | ins.Label() | ins.Arg():
                self._pairs(instruction)
            case ins.Cmd() | ins.Entrypoint() if instruction.command.shell and not state.has_shell:
                text = f"JSON arguments recommended for {instruction.keyword} to prevent unintended"
                text += " behavior related to OS signals"
                self.warn("JSONArgsRecommended", text, instruction)
            case ins.Maintainer():
                text = "Maintainer instruction is deprecated in favor of using label"
                self.warn("MaintainerDeprecated", text, instruction)
            case ins.Workdir():
                self._workdir(instruction, expanded, state)
            case ins.Expose():
                self._ports(instruction, expanded)
            case ins.Transfer() if ignore is not None and not instruction.from_:
                self._ignored(instruction, expanded, ignore)

    def _pairs(self, instruction: ins.Env | ins.Label | ins.Arg) -> None:
        keyword = instruction.keyword
        if isinstance(instruction, ins.Arg):
            names = [argument.name for argument in instruction.arguments]
        else:
            names = [pair.key for pair in instruction.pairs]
            if instruction.pairs[0].spaced:
                text = (
                    f'"{keyword} key=value" should be used instead of legacy "{keyword} key value"'
                )
                self.warn("LegacyKeyValueFormat", f"{text} format", instruction)
        for name in names if not isinstance(instruction, ins.Label) else ():
            if _SECRET.search(name) and not _NO_SECRET.search(name):
                kind = "ARG" if isinstance(instruction, ins.Arg) else "ENV"
                text = f"Do not use ARG or ENV instructions for sensitive data ({kind}"
                self.warn("SecretsUsedInArgOrEnv", f"{text} {quoted(name)})", instruction)

    def _workdir(self, instruction: Instruction, expanded: Instruction, state: _State) -> None:
        assert isinstance(expanded, ins.Workdir)
        if not state.has_workdir and not expanded.path.startswith("/"):
            text = f"Relative workdir {quoted(expanded.path)} can have unexpected results if the"
            self.warn("WorkdirRelativePath", f"{text} base image changes", instruction)

    def _ports(self, instruction: Instruction, expanded: Instruction) -> None:
        assert isinstance(expanded, ins.Expose)
        for port in expanded.ports:
            address, host, container = split_address(port)
            protocol = container.partition("/")[2]
            if protocol != protocol.lower():
                text = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
                self.warn("ExposeProtoCasing", text, instruction)
            if address or host:
                text = "EXPOSE instruction should not define an IP address or host-port mapping,"
                self.warn("ExposeInvalidFormat", f"{text} found '{port}'", instruction)

    def _ignored(
        self, instruction: Instruction, expanded: Instruction, ignore: IgnoreRules
    ) -> None:
        assert isinstance(expanded, ins.Transfer)
        if ignore.has_exceptions:
            return
        verb = "Add" if isinstance(expanded, ins.Add) else "Copy"
        for source in expanded.sources:
            path = clean(source)
            if path in (".", "/") and not ignore.excludes_all:
                continue
            if ignore.verdict(path.removeprefix("/")).excluded:
                text = f"Attempting to {verb} file {quoted(path)} that is excluded by"
                self.warn("CopyIgnoredFile", f"{text} .dockerignore", instruction)


def _same_case(keyword: str, other: str) -> bool:
    if keyword == keyword.lower():
        return other == other.lower()
    return keyword != keyword.upper() or other == other.upper()
