# SPDX-License-Identifier: MIT
"""The warnings of ``--check``. Pure.

Rules: names, texts and places of warnings are BuildKit's. A file that cannot be parsed or
planned is an error; the result then has that error and the warnings about the lines before it.
Undefined variables are reported only in stages whose base environment is known
(``environments``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.dockerignore import clean
from sandbox.dockerfile.errors import located
from sandbox.dockerfile.file_rules import FileRules
from sandbox.dockerfile.go_text import quoted, suggestion
from sandbox.dockerfile.lint_rules import parse_check
from sandbox.dockerfile.plan import Scratch, StageSource, Wanted
from sandbox.dockerfile.planner import plan
from sandbox.dockerfile.ports import split_address
from sandbox.dockerfile.refusals import refuse_impossible
from sandbox.dockerfile.variables import expand_instruction, first_scope
from sandbox.dockerfile.warnings import Checked
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.dockerfile.dockerignore import IgnoreRules
    from sandbox.dockerfile.errors import DockerfileError
    from sandbox.dockerfile.expand import Expansion
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import Plan, PlannedStage
    from sandbox.dockerfile.stages import Dockerfile
    from sandbox.dockerfile.variables import Scope
    from sandbox.errors import SandboxError

_SECRET = re.compile(
    r"(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:_|^)(?:public|file|version)(?:_|$)", re.IGNORECASE)


def lint(
    dockerfile: Dockerfile,
    wanted: Wanted,
    *,
    ignore: IgnoreRules | None = None,
    environments: Mapping[int, Mapping[str, str]] | None = None,
    triggers: Mapping[int, tuple[Instruction, ...]] | None = None,
    all_stages: bool = True,
    error: DockerfileError | None = None,
) -> Checked:
    """Return the warnings about *dockerfile*.

    If ``wanted`` names no target, all stages are checked; with *all_stages* false, only those
    that the last stage needs. *environments* and *triggers* map the index of a stage to the
    environment and the ONBUILD triggers of its base image.

    *error* is the error that ended the parsing of *dockerfile*, which then holds only what
    precedes it. The result carries that error, or the one that planning ends with.
    """
    given = (wanted.build_arguments or {}).get("BUILDKIT_DOCKERFILE_CHECK")
    options = parse_check(dockerfile.directives.check if given is None else given)
    linter = _Linter(dockerfile, options)
    linter.written()
    failure: SandboxError | None = error
    if failure is None:
        try:
            all_stages = all_stages and not wanted.target
            planned = linter.planned(wanted, triggers or {}, all_stages=all_stages)
            _look(linter, planned, wanted, ignore, environments or {})
        except UsageError as exc:
            failure = exc
    warnings = tuple(sorted(linter.found, key=lambda warning: warning.span.first))
    return Checked(warnings, options.error and bool(warnings), failure)


def _look(
    linter: _Linter,
    planned: Plan,
    wanted: Wanted,
    ignore: IgnoreRules | None,
    known: Mapping[int, Mapping[str, str]],
) -> None:
    """Check the instructions of all planned stages."""
    dockerfile = linter.dockerfile
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


@dataclass(frozen=True)
class _State:
    """The state at the end of a stage, which a stage based on it starts from."""

    scope: Scope
    complete: bool
    """Whether all variables of the base image are known."""
    has_shell: bool = False
    has_workdir: bool = False


class _Linter(FileRules):
    def planned(
        self,
        wanted: Wanted,
        triggers: Mapping[int, tuple[Instruction, ...]],
        *,
        all_stages: bool,
    ) -> Plan:
        """Check the file as a whole, then plan it."""
        self.names()
        self.casing()
        self.bases(wanted)
        return plan(self.dockerfile, wanted, triggers=triggers, all_stages=all_stages)

    def stage(self, stage: PlannedStage, state: _State, ignore: IgnoreRules | None) -> _State:
        last: dict[str, Instruction] = {}
        for instruction in stage.stage.instructions:
            expanded = self._variables(instruction, state)
            with located(self.dockerfile, instruction.span):
                refuse_impossible(expanded)
            self._once(instruction, last)
            self._instruction(instruction, expanded, state, ignore)
            state = replace(
                state,
                scope=state.scope.after(expanded),
                has_shell=state.has_shell or isinstance(instruction, ins.Shell),
                has_workdir=state.has_workdir or isinstance(instruction, ins.Workdir),
            )
        return state

    def _variables(self, instruction: Instruction, state: _State) -> Instruction:
        seen: list[Expansion] = []
        with located(self.dockerfile, instruction.span):
            if isinstance(instruction, ins.Arg):
                expanded: Instruction = state.scope.resolved(instruction, seen.append)
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
