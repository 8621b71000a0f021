# SPDX-License-Identifier: MIT
"""One stage, instruction by instruction.

How it works: instructions that change no file change the state (`metadata`); the others
make a layer each, unless their key finds one (`Build.layer`).

Rules: a stage is built by one thread. What fails says where in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.builder.errors import BuildFailed, Cancelled, StepFailed, placed
from sandbox.builder.file_views import TreeView, Written, clean, resolve
from sandbox.builder.instructions import metadata
from sandbox.builder.instructions.copy import change_directory, transfer
from sandbox.builder.instructions.run import run_command
from sandbox.builder.instructions.titles import numbered, steps_of, text_of
from sandbox.builder.progress import CANCELED, error_of
from sandbox.builder.stage_state import Row, State
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.errors import DockerfileError, located, snippet
from sandbox.dockerfile.refusals import refuse_impossible
from sandbox.errors import SandboxError
from sandbox.runtime.process import users

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from sandbox.builder.executor import Build
    from sandbox.builder.file_views import View
    from sandbox.builder.progress import Vertex
    from sandbox.dockerfile.plan import PlannedStage
    from sandbox.layers.unpack import UnpackedLayer

    _Make = Callable[[Path], UnpackedLayer]

_NS = 10**9


class StageBuilder:
    """Builds one stage on top of *state*, its base's."""

    def __init__(self, build: Build, planned: PlannedStage, state: State) -> None:
        self.build = build
        self._planned = planned
        self.state = state
        self._every = build.request.every_step
        self._number, self._total = build.numbering.get(planned.index) or steps_of(planned)

    def title(self, text: str) -> str:
        """Return what progress calls a step: ``[name 2/3] RUN ...``."""
        stage = self._planned.stage
        named = stage.label if self.build.has_stages else ""
        return numbered(named, self._number, self._total, text)

    def run(self) -> State:
        """Do every instruction and return what came of it."""
        for instruction in self._planned.stage.instructions:
            self.build.check()
            with (
                placed(self.build.dockerfile, instruction.span),
                located(self.build.dockerfile, instruction.span),
            ):
                self._step(instruction)
        return self.state

    def _step(self, instruction: say.Instruction) -> None:
        expanded = self.state.scope.expanded(instruction)
        refuse_impossible(expanded)
        if isinstance(expanded, say.Arg):
            metadata.declare(self.state, expanded)
            self._told(instruction)
        elif metadata.apply(self.state, expanded):
            self._told(instruction)
        else:
            self._number += 1
            self._layered(expanded)
        self.state.scope = self.state.scope.after(expanded)

    def _told(self, instruction: say.Instruction) -> None:
        if self._every:
            self._number += 1
            teller = self.build.teller
            teller.end(teller.start(self.title(self._text(instruction)), idle=True))

    def _text(self, instruction: say.Instruction) -> str:
        if self._every:  # the builder before BuildKit showed what is written
            return " ".join(instruction.original.split(None, 1))
        scope = self.state.scope
        is_trigger = instruction.span == self._planned.stage.base.span
        return text_of(instruction, scope.variables, escape=scope.escape, is_trigger=is_trigger)

    def _layered(self, instruction: say.Instruction) -> None:
        vertex = self.build.teller.start(self.title(self._text(instruction)))
        try:
            if isinstance(instruction, say.Run):
                run_command(self, instruction, vertex)
            elif isinstance(instruction, say.Transfer):
                transfer(self, instruction, vertex)
            elif isinstance(instruction, say.Workdir):
                change_directory(self, instruction, vertex)
        except Cancelled:
            self.build.teller.end(vertex, error=CANCELED)
            raise
        except DockerfileError:
            raise
        except SandboxError as exc:
            self.build.teller.end(vertex, error=exc.message)
            raise self._failure(exc, instruction, vertex) from exc
        except BaseException as exc:
            self.build.teller.end(vertex, error=error_of(exc))
            raise
        if not vertex.ended:
            self.build.teller.end(vertex, cached=vertex.cached)

    def _failure(
        self, exc: SandboxError, instruction: say.Instruction, vertex: Vertex
    ) -> BuildFailed:
        file = self.build.dockerfile
        parts = []
        tail = vertex.tail.decode("utf-8", "replace")
        if tail:
            lines = tail.splitlines()[-10:]
            shown = "\n".join(f"{line}" for line in lines)
            parts.append(f"------\n > {vertex.name}:\n{shown}\n------")
        parts.append(snippet(file.text, instruction.span, name=file.name))
        return BuildFailed(exc.message, excerpt="\n".join(parts))

    # ---- layers ------------------------------------------------------------------------------

    def layer(self, key: str, vertex: Vertex, text: str, make: _Make) -> None:
        """Have the layer of a step on top, and its row in the history."""
        build = self.build
        fresh = build.is_fresh(self._planned.stage)
        below = self.state.layers
        layer, created = build.layering.layer(key, vertex, make, fresh=fresh, layers=below)
        self.state.layers = (*self.state.layers, layer)
        self.state.history.append(Row(text, empty=False, created=created))

    @property
    def epoch(self) -> int | None:
        """The time that all new things have, in seconds; None for their own."""
        return self.build.request.epoch

    @property
    def latest(self) -> int | None:
        """The time that no file is younger than, in nanoseconds."""
        return None if self.epoch is None else self.epoch * _NS

    def view(self, name: str, stack: ExitStack) -> View:
        """Return the files that ``from=`` names; "" is the context."""
        if not name:
            return self.build.context_view()
        return self.build.view_of(self._planned.sources[name], self._planned, stack)

    def tree(self, stack: ExitStack) -> View:
        """Return the files of the stage as it is."""
        state = self.state
        if not state.layers and not state.is_host:
            return Written({})
        tree = self.build.shop.tree(state.layers, box=state.box, is_host=state.is_host)
        return TreeView(stack.enter_context(tree))

    def owner(self, text: str, tree: View) -> tuple[int, int]:
        """Return the ids of ``user[:group]`` by the stage's own files."""
        name, colon, _group = text.partition(":")
        passwd = users.parse_passwd(_text(tree, "/etc/passwd"))
        groups = users.parse_group(_text(tree, "/etc/group"))
        if name.isdecimal() and not colon:
            return int(name), int(name)
        try:
            found = users.resolve_identity(text, passwd, groups)
        except SandboxError as exc:
            raise StepFailed(exc.message) from exc
        return found.uid, found.gid


def _text(tree: View, path: str) -> str:
    real = resolve(tree, clean(path))
    fact = tree.fact(real)
    if fact is None or fact.kind != "f":
        return ""
    with tree.open(real) as file:
        return file.read().decode("utf-8", "surrogateescape")
