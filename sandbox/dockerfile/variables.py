# SPDX-License-Identifier: MIT
"""The variables that an instruction sees, and their expansion in it. Pure.

Rules, BuildKit's:

* A stage begins with the environment of its base. ARG and ENV add to one set of variables;
  the later one wins. A RUN gets all of them, the image keeps only those of ENV.
* The value of an ARG is that of ``--build-arg``, else its default, else that of the global ARG.
* A stage based on another stage inherits that stage's variables.
* All words of one instruction are expanded with the variables as they were before it.
* CMD, ENTRYPOINT, HEALTHCHECK, MAINTAINER, ONBUILD, SHELL and the command of RUN are not
  expanded here: the shell in the container does that.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.expand import Style, expansion
from sandbox.dockerfile.run_mounts import parse_mount
from sandbox.dockerfile.words import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.dockerfile.expand import Expansion

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
"""Build arguments that every RUN gets without an ARG, in both cases. The cache ignores them."""

_T = TypeVar("_T", bound=ins.Instruction)


@dataclass(frozen=True)
class Scope:
    """The variables at one point of a stage; ``first_scope`` makes the first."""

    variables: Mapping[str, str]
    """The values used in expansion, and the environment of a RUN."""
    environment: Mapping[str, str]
    """The environment that the image keeps: ENV, and that of the base."""
    build_arguments: Mapping[str, str]
    global_arguments: Mapping[str, str]
    escape: str = "\\"
    arguments: tuple[ins.Argument, ...] = field(default=())
    """The ARGs declared so far with their values; None means declared but not set."""

    def after(self, instruction: ins.Instruction) -> Scope:
        """Return the scope after *instruction*, which is already expanded."""
        if isinstance(instruction, ins.Env):
            pairs = {pair.key: pair.value for pair in instruction.pairs}
            return replace(
                self,
                variables={**self.variables, **pairs},
                environment={**self.environment, **pairs},
            )
        if isinstance(instruction, ins.Arg):
            scope = self
            for argument in instruction.arguments:
                scope = scope._with(argument)
            return scope
        return self

    def resolved(
        self, instruction: ins.Arg, watch: Callable[[Expansion], None] | None = None
    ) -> ins.Arg:
        """Return an ARG with the values that its variables get (``ARG a=1`` in the history)."""
        scope, found = self, []
        for argument in instruction.arguments:
            value = scope._value(argument, watch)
            found.append(ins.Argument(argument.name, value))
            scope = scope._with(found[-1])
        return replace(instruction, arguments=tuple(found))

    def expanded(self, instruction: _T) -> _T:
        """Return *instruction* with this scope's variables expanded."""
        if isinstance(instruction, ins.Arg):
            return cast("_T", self.resolved(instruction))
        return expand_instruction(instruction, self.variables, escape=self.escape)

    def _with(self, argument: ins.Argument) -> Scope:
        arguments = (*self.arguments, argument)
        if argument.default is None:
            return replace(self, arguments=arguments)
        variables = {**self.variables, argument.name: argument.default}
        return replace(self, arguments=arguments, variables=variables)

    def _value(
        self, argument: ins.Argument, watch: Callable[[Expansion], None] | None
    ) -> str | None:
        if argument.name in self.build_arguments:
            return self.build_arguments[argument.name]
        if argument.default is None:
            return self.global_arguments.get(argument.name)
        found = expansion(argument.default, self.variables, Style(self.escape))
        if watch is not None:
            watch(found)
        return found.text


def first_scope(
    environment: Mapping[str, str],
    *,
    build_arguments: Mapping[str, str],
    global_arguments: Mapping[str, str],
    escape: str = "\\",
) -> Scope:
    """Return the scope at the start of a stage; *environment* is that of its base image."""
    full = {**environment}
    full.setdefault("PATH", DEFAULT_PATH)
    return Scope(full, full, build_arguments, global_arguments, escape)


def proxy_variables(build_arguments: Mapping[str, str]) -> dict[str, str]:
    """Return the proxy variables among the build arguments, which every RUN gets."""
    found: dict[str, str] = {}
    for name in sorted(build_arguments):
        if name.upper() in PROXIES:
            found[name.upper()] = found[name.lower()] = build_arguments[name]
    return found


def expand_instruction(
    instruction: _T,
    variables: Mapping[str, str],
    *,
    escape: str = "\\",
    watch: Callable[[Expansion], None] | None = None,
) -> _T:
    """Return *instruction* with *variables* expanded; *watch* is called for each word.

    An ARG is returned unchanged: see ``Scope.resolved``. Raises LanguageError.
    """
    words = _Words(variables, escape, watch)
    changed = _changes(instruction, words)
    return replace(instruction, **changed) if changed else instruction


class _Words:
    def __init__(
        self, variables: Mapping[str, str], escape: str, watch: Callable[[Expansion], None] | None
    ) -> None:
        self.variables, self.escape, self.watch = variables, escape, watch

    def seen(self, word: str, style: Style) -> Expansion:
        found = expansion(word, self.variables, style)
        if self.watch is not None:
            self.watch(found)
        return found

    def one(self, word: str) -> str:
        return self.seen(word, Style(self.escape)).text

    def all(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self.one(word) for word in words)

    def split(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(w for word in words for w in self.seen(word, Style(self.escape)).words)

    def body(self, heredoc: ins.Heredoc) -> ins.Heredoc:
        if not heredoc.expand:
            return heredoc
        return replace(heredoc, content=self.seen(heredoc.content, Style(no_quotes=True)).text)


def _changes(instruction: ins.Instruction, words: _Words) -> dict[str, Any]:
    match instruction:
        case ins.Env(pairs=pairs) | ins.Label(pairs=pairs):
            return {"pairs": tuple(_pair(pair, words) for pair in pairs)}
        case ins.Transfer():
            return _transfer(instruction, words)
        case ins.Run(mount_texts=texts):
            return {"mounts": tuple(parse_mount(text, words.one) for text in texts)}
        case ins.Workdir(path=path):
            return {"path": words.one(path)}
        case ins.User(user=user):
            return {"user": words.one(user)}
        case ins.StopSignal(signal=signal):
            return {"signal": words.one(signal)}
        case ins.Expose(ports=ports):
            return {"ports": words.split(ports)}
        case ins.Volume(paths=paths):
            expanded = words.all(paths)
            if not all(expanded):
                raise ArgumentError("VOLUME specified can not be an empty string")
            return {"paths": expanded}
    return {}


def _pair(pair: ins.KeyValue, words: _Words) -> ins.KeyValue:
    return replace(pair, key=words.one(pair.key), value=words.one(pair.value))


def _transfer(instruction: ins.Transfer, words: _Words) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "chown": words.one(instruction.chown),
        "chmod": words.one(instruction.chmod),
        "exclude": words.all(instruction.exclude),
        "sources": words.all(instruction.sources),
        "destination": words.one(instruction.destination),
        "contents": tuple(words.body(heredoc) for heredoc in instruction.contents),
    }
    if isinstance(instruction, ins.Add):
        changes["checksum"] = words.one(instruction.checksum)
    return changes
