# SPDX-License-Identifier: MIT
"""The steps of one stage, instruction by instruction.

How it works: an instruction that changes no file only changes the state
(`instructions.metadata`). Every other instruction makes a layer, unless its key finds one
(`StageBuilder.layer`).

Rules: every failure names its place in the Dockerfile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.builder.errors import BuildFailed, Cancelled, placed
from sandbox.builder.instructions import metadata
from sandbox.builder.instructions.copy import change_directory, transfer
from sandbox.builder.instructions.run import run_command
from sandbox.builder.instructions.titles import text_of
from sandbox.builder.progress import CANCELED, error_of
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.errors import DockerfileError, located, snippet
from sandbox.dockerfile.refusals import refuse_impossible
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.builder.progress import Vertex
    from sandbox.builder.stage import StageBuilder
    from sandbox.builder.stage_state import State


def build_stage(stage: StageBuilder) -> State:
    """Execute every instruction and return the final state."""
    for instruction in stage.planned.stage.instructions:
        stage.build.check()
        with (
            placed(stage.build.dockerfile, instruction.span),
            located(stage.build.dockerfile, instruction.span),
        ):
            _step(stage, instruction)
    return stage.state


def _step(stage: StageBuilder, instruction: say.Instruction) -> None:
    expanded = stage.state.scope.expanded(instruction)
    refuse_impossible(expanded)
    if isinstance(expanded, say.Arg):
        metadata.declare(stage.state, expanded)
        _tell(stage, instruction)
    elif metadata.apply(stage.state, expanded):
        _tell(stage, instruction)
    else:
        stage.titles.next()
        _layer(stage, expanded)
    stage.state.scope = stage.state.scope.after(expanded)


def _tell(stage: StageBuilder, instruction: say.Instruction) -> None:
    if stage.build.request.every_step:
        stage.titles.next()
        reporter = stage.build.reporter
        reporter.end(reporter.start(stage.titles.title(_text(stage, instruction)), idle=True))


def _text(stage: StageBuilder, instruction: say.Instruction) -> str:
    if stage.build.request.every_step:  # the classic builder shows every instruction
        return " ".join(instruction.original.split(None, 1))
    scope = stage.state.scope
    is_trigger = instruction.span == stage.planned.stage.base.span
    return text_of(instruction, scope.variables, escape=scope.escape, is_trigger=is_trigger)


def _layer(stage: StageBuilder, instruction: say.Instruction) -> None:
    vertex = stage.build.reporter.start(stage.titles.title(_text(stage, instruction)))
    try:
        if isinstance(instruction, say.Run):
            run_command(stage, instruction, vertex)
        elif isinstance(instruction, say.Transfer):
            transfer(stage, instruction, vertex)
        elif isinstance(instruction, say.Workdir):
            change_directory(stage, instruction, vertex)
    except Cancelled:
        stage.build.reporter.end(vertex, error=CANCELED)
        raise
    except DockerfileError:
        raise
    except SandboxError as exc:
        stage.build.reporter.end(vertex, error=exc.message)
        raise _failure(stage, exc, instruction, vertex) from exc
    except BaseException as exc:
        stage.build.reporter.end(vertex, error=error_of(exc))
        raise
    if not vertex.ended:
        stage.build.reporter.end(vertex, cached=vertex.cached)


def _failure(
    stage: StageBuilder, exc: SandboxError, instruction: say.Instruction, vertex: Vertex
) -> BuildFailed:
    file = stage.build.dockerfile
    parts = []
    tail = vertex.tail.decode("utf-8", "replace")
    if tail:
        lines = tail.splitlines()[-10:]
        shown = "\n".join(f"{line}" for line in lines)
        parts.append(f"------\n > {vertex.name}:\n{shown}\n------")
    parts.append(snippet(file.text, instruction.span, name=file.name))
    return BuildFailed(exc.message, excerpt="\n".join(parts))
