# SPDX-License-Identifier: MIT
"""One stage under construction: its state, its files, and its layers.

Rules: a stage is built by one thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import TreeView, Written, clean, resolve
from sandbox.builder.stage_state import Row, State
from sandbox.errors import SandboxError
from sandbox.runtime.process import users

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from sandbox.builder.build_job import Build
    from sandbox.builder.file_views import View
    from sandbox.builder.instructions.titles import StepTitles
    from sandbox.builder.progress import Vertex
    from sandbox.dockerfile.plan import PlannedStage
    from sandbox.layers.unpack import UnpackedLayer

    _Make = Callable[[Path], UnpackedLayer]

_NS = 10**9


class StageBuilder:
    """The stage on which instructions work; *state* starts as that of its base."""

    def __init__(
        self, build: Build, planned: PlannedStage, state: State, titles: StepTitles
    ) -> None:
        self.build = build
        self.planned = planned
        self.state = state
        self.titles = titles

    def layer(self, key: str, vertex: Vertex, text: str, make: _Make) -> None:
        """Add the layer of a step, and its row of the history."""
        build = self.build
        fresh = build.is_fresh(self.planned.stage)
        below = self.state.layers
        layer, created = build.step_layers.layer(key, vertex, make, fresh=fresh, layers=below)
        self.state.layers = (*self.state.layers, layer)
        self.state.history.append(Row(text, empty=False, created=created))

    @property
    def epoch(self) -> int | None:
        """The time of all new rows and files in seconds; None keeps their own times."""
        return self.build.request.epoch

    @property
    def latest(self) -> int | None:
        """The latest time that a file may have, in nanoseconds."""
        return None if self.epoch is None else self.epoch * _NS

    def view(self, name: str, stack: ExitStack) -> View:
        """Return the files of ``from=NAME``; "" is the build's context."""
        if not name:
            return self.build.context_view()
        return self.build.view_of(self.planned.sources[name], self.planned, stack)

    def tree(self, stack: ExitStack) -> View:
        """Return the stage's present files."""
        state = self.state
        if not state.layers and not state.is_host:
            return Written({})
        tree = self.build.shop.tree(state.layers, box=state.box, is_host=state.is_host)
        return TreeView(stack.enter_context(tree))

    def owner(self, text: str, tree: View) -> tuple[int, int]:
        """Return the ids of ``user[:group]`` from the stage's own passwd and group files."""
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
