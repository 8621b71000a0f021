# SPDX-License-Identifier: MIT
"""Turns the text of a Dockerfile into typed instructions. Pure.

Rules: BuildKit decides what an instruction accepts and how an error reads. Nothing is expanded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import DockerfileError, LanguageError
from sandbox.dockerfile.go_text import did_you_mean
from sandbox.dockerfile.instructions import Arg, From, Instruction, Span
from sandbox.dockerfile.lexer import Line, lex
from sandbox.dockerfile.parse_files import parse_add, parse_copy, parse_run
from sandbox.dockerfile.parse_request import Request
from sandbox.dockerfile.parse_simple import SIMPLE
from sandbox.dockerfile.parse_tree import nodes_of
from sandbox.dockerfile.stages import Dockerfile, Stage
from sandbox.dockerfile.words import split_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.dockerfile.lexer import Source

_PARSERS: dict[str, Callable[[Request], Instruction]] = {
    **SIMPLE,
    "add": parse_add,
    "copy": parse_copy,
    "run": parse_run,
}


def parse(text: bytes, *, name: str = "Dockerfile") -> Dockerfile:
    """Return the parsed *text*; messages call the file *name*. Raises DockerfileError."""
    dockerfile, error = parse_until_error(text, name=name)
    if error is not None:
        raise error
    return dockerfile


def parse_until_error(
    text: bytes, *, name: str = "Dockerfile"
) -> tuple[Dockerfile, DockerfileError | None]:
    """Return *text* parsed up to the first wrong instruction, and the error about that one.

    Raises DockerfileError if any line has an invalid shape (``parse_tree``), since BuildKit
    checks the shape of all lines first.
    """
    source = lex(text, name=name)
    nodes_of(source)
    stages: list[Stage] = []
    arguments: list[Arg] = []
    pending: list[Instruction] = []
    error: DockerfileError | None = None
    for line in source.lines:
        try:
            instruction = _instruction(line, source)
        except DockerfileError as exc:
            error = exc
            break
        if isinstance(instruction, From):
            _finish(stages, pending)
            stages.append(Stage(len(stages), instruction, ()))
        elif stages:
            pending.append(instruction)
        elif isinstance(instruction, Arg):
            arguments.append(instruction)
        else:
            reason = "no build stage in current context"
            error = DockerfileError(reason, name=name, text=source.text, span=line.span)
            break
    _finish(stages, pending)
    if not stages and error is None:
        error = DockerfileError("dockerfile contains no stages to build", name=name)
    empty = tuple(
        Span(line.span.last, line.span.last) for line in source.lines if line.empty_continuation
    )
    found = Dockerfile(name, source.text, source.directives, tuple(arguments), tuple(stages), empty)
    return found, error


def parse_trigger(expression: str, *, base: From, name: str = "Dockerfile") -> Instruction:
    """Return the instruction of an ONBUILD trigger; its span is that of the FROM *base*."""
    source = lex(expression.encode("utf-8", "surrogateescape"), name=f"{name} (ONBUILD)")
    if len(source.lines) != 1:
        raise DockerfileError("onbuild trigger should be a single expression", name=name)
    nodes_of(source)
    instruction = _instruction(source.lines[0], source)
    if isinstance(instruction, From):
        raise _error("FROM isn't allowed as an ONBUILD trigger", source.lines[0].span, source)
    return replace(instruction, span=base.span)


def _finish(stages: list[Stage], pending: list[Instruction]) -> None:
    if stages:
        stages[-1] = replace(stages[-1], instructions=tuple(pending))
        pending.clear()


def _instruction(line: Line, source: Source) -> Instruction:
    split = split_line(line.text)
    parser = _PARSERS.get(split.keyword.lower())
    if parser is None:
        message = f"unknown instruction: {split.keyword}"
        reason = did_you_mean(message, split.keyword, _PARSERS, case_sensitive=False)
        raise _error(reason, line.span, source)
    request = Request(line, split, source.directives.escape)
    try:
        return parser(request)
    except LanguageError as exc:
        raise _error(exc.message, line.span, source) from exc


def _error(reason: str, span: Span, source: Source) -> DockerfileError:
    full = f"dockerfile parse error on line {span.first}: {reason}"
    return DockerfileError(full, name=source.name, text=source.text, span=span)
