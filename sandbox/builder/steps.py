# SPDX-License-Identifier: MIT
"""One stage, instruction by instruction.

How it works: instructions that change no file change the state (`metadata`); the others
make a layer each, unless their key finds one (`Build.layer`).

Rules: a stage is built by one thread. What fails says where in the file.
"""

from __future__ import annotations

import os
import posixpath
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from sandbox.builder import metadata, running
from sandbox.builder.adding import added
from sandbox.builder.errors import BuildFailed, Cancelled, StepFailed
from sandbox.builder.keys import key_of
from sandbox.builder.runmounts import Mounter, identity_of
from sandbox.builder.state import Row, State, run_environment, shown_arguments
from sandbox.builder.transfer import Target, Wanted, plan
from sandbox.builder.views import TreeView, Written, clean, resolve
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.errors import DockerfileError, located, snippet
from sandbox.dockerfile.ignore import IgnoreRules
from sandbox.errors import SandboxError, Unsupported
from sandbox.layers.make import LayerMaker
from sandbox.layers.tarstream import TarEntry
from sandbox.layers.upper import Changes, adopt_upper
from sandbox.models.container import MountPoint
from sandbox.runtime import users
from sandbox.runtime.destinations import TreeDestination, copy_all
from sandbox.runtime.sources import Item

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.builder.executor import Build
    from sandbox.builder.progress import Vertex
    from sandbox.builder.transfer import TransferPlan
    from sandbox.builder.views import View
    from sandbox.builder.workshop import Box
    from sandbox.dockerfile.plan import PlannedStage
    from sandbox.layers.unpack import UnpackedLayer

_WITH_LAYER = (say.Run, say.Transfer, say.Workdir)
_SYSTEM_TARGETS = ("/etc/hosts", "/dev/null", "/proc/self", "/sys/x")
_NS = 10**9


class StageBuilder:
    """Builds one stage on top of *state*, its base's."""

    def __init__(self, build: Build, planned: PlannedStage, state: State) -> None:
        self._build = build
        self._planned = planned
        self.state = state
        self._every = build.request.every_step
        before, total = build.numbering.get(planned.index, (0, 0))
        self._number = 1 + before
        self._total = total or 1 + sum(
            isinstance(item, _WITH_LAYER) for item in planned.stage.instructions
        )

    def title(self, text: str) -> str:
        """Return what progress calls a step: ``[name 2/3] RUN ...``."""
        stage = self._planned.stage
        named = stage.name or (f"stage-{stage.index}" if self._build.has_stages else "")
        return f"[{named} {self._number}/{self._total}] {text}".replace("[ ", "[")

    def run(self) -> State:
        """Do every instruction and return what came of it."""
        for instruction in self._planned.stage.instructions:
            self._build.check()
            with located(self._build.dockerfile, instruction.span):
                self._step(instruction)
        return self.state

    def _step(self, instruction: say.Instruction) -> None:
        expanded = self.state.scope.expanded(instruction)
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
            teller = self._build.teller
            text = " ".join(instruction.original.split(None, 1))
            teller.end(teller.start(self.title(text), idle=True))

    def _layered(self, instruction: say.Instruction) -> None:
        text = " ".join(instruction.original.split(None, 1))
        vertex = self._build.teller.start(self.title(text))
        try:
            if isinstance(instruction, say.Run):
                self._run(instruction, vertex)
            elif isinstance(instruction, say.Transfer):
                self._transfer(instruction, vertex)
            elif isinstance(instruction, say.Workdir):
                self._workdir(instruction, vertex)
        except Cancelled:
            self._build.teller.end(vertex, error="canceled")
            raise
        except DockerfileError:
            raise
        except SandboxError as exc:
            self._build.teller.end(vertex, error=exc.message)
            raise self._failure(exc, instruction, vertex) from exc
        except BaseException as exc:
            self._build.teller.end(vertex, error=type(exc).__name__)
            raise
        if not vertex.ended:
            self._build.teller.end(vertex, cached=vertex.cached)

    def _failure(
        self, exc: SandboxError, instruction: say.Instruction, vertex: Vertex
    ) -> BuildFailed:
        file = self._build.dockerfile
        parts = []
        tail = vertex.tail.decode("utf-8", "replace")
        if tail:
            lines = tail.splitlines()[-10:]
            shown = "\n".join(f"{line}" for line in lines)
            parts.append(f"------\n > {vertex.name}:\n{shown}\n------")
        parts.append(snippet(file.text, instruction.span, name=file.name))
        return BuildFailed(exc.message, excerpt="\n".join(parts))

    # ---- layers ------------------------------------------------------------------------------

    def _layer(self, key: str, vertex: Vertex, text: str, make: _Make) -> None:
        """Have the layer of a step on top, and its row in the history."""
        build = self._build
        fresh = build.is_fresh(self._planned.stage)
        below = self.state.layers
        layer, created = build.layer(key, vertex, make, fresh=fresh, layers=below)
        self.state.layers = (*self.state.layers, layer)
        self.state.history.append(Row(text, empty=False, created=created))

    @property
    def _epoch(self) -> int | None:
        return self._build.request.epoch

    def _latest(self) -> int | None:
        return None if self._epoch is None else self._epoch * _NS

    def _owner(self, text: str, tree: View) -> tuple[int, int]:
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

    # ---- RUN ---------------------------------------------------------------------------------

    def _run(self, instruction: say.Run, vertex: Vertex) -> None:
        if instruction.security == "insecure":
            raise Unsupported("security.insecure is not allowed: nobody has such rights here")
        if instruction.devices:
            raise Unsupported("RUN --device is not supported: there are no CDI devices here")
        network = instruction.network
        if network == "default":
            network = self._build.request.network
        state = self.state
        argv = metadata.command_line(state, instruction.command)
        env, counted = run_environment(state.scope)
        shown = shown_arguments(state.scope) + " ".join(argv)
        with ExitStack() as stack:
            bound = [self._bound_digest(mount, stack) for mount in instruction.mounts]
            program = instruction.program
            key = key_of(
                "RUN", state.layers, self._epoch,
                argv=argv, env=counted, user=state.config.user, workdir=state.workdir,
                mounts=[identity_of(m, d) for m, d in zip(instruction.mounts, bound, strict=True)],
                network=network, program=program.content if program else "",
                hosts=sorted(self._build.request.hosts), arch=state.architecture,
            )  # fmt: skip
            command = running.Command(
                argv=argv,
                env=env,
                user=state.config.user,
                workdir=state.workdir,
                hosts=self._build.request.hosts,
                ulimits=self._build.request.ulimits,
                network=network,
            )

            def make(into: Path) -> UnpackedLayer:
                return self._execute(instruction, command, into, vertex)

            self._layer(key, vertex, f"RUN {shown} # buildkit", make)

    def _bound_digest(self, mount: say.Mount, stack: ExitStack) -> str:
        """Return what identifies the content that a bind mount shows."""
        if mount.kind is not say.MountKind.BIND:
            return ""
        view = self._view(mount.from_, stack)
        source = Wanted(view, mount.source or "/")
        return plan([source], Target("/x/"), None).digest()

    def _execute(
        self, instruction: say.Run, command: running.Command, into: Path, vertex: Vertex
    ) -> UnpackedLayer:
        build, state = self._build, self.state
        box = state.box or build.shop.box()
        with ExitStack() as stack:
            mounter = Mounter(build.shop, build.request, self, stack, state.workdir)
            for mount in instruction.mounts:
                mounter.add(mount)
            points = [*mounter.result.points, *build.request.volumes]
            if instruction.program is not None:
                points.append(self._program(instruction.program, box))
            place = build.shop.place(state.layers, box, is_host=state.is_host)
            code = running.run(
                _complete(command, points, mounter.result.env),
                box,
                place,
                output=lambda data, stream: build.teller.say(vertex, data, stream),
                cancel=build.cancel,
            )
        if code:
            shown = " ".join(command.argv)
            raise StepFailed(f'process "{shown}" did not complete successfully: exit code: {code}')
        if state.box is not None:
            return build.nothing(into)
        targets = [*_SYSTEM_TARGETS, *(point.target for point in points)]
        with build.shop.tree(state.layers, box=box) as tree:
            changes = Changes(
                tree, latest_ns=self._latest(), unwanted=_holders(TreeView(tree), targets)
            )
        return adopt_upper(changes, into)

    def _program(self, program: say.Heredoc, box: Box) -> MountPoint:
        path = box.path / "program"
        path.write_bytes(program.content.encode("utf-8", "surrogateescape"))
        path.chmod(0o755)
        target = f"/dev/pipes/{program.name}"
        return MountPoint("bind", target, os.fspath(path), read_only=True)

    # ---- COPY, ADD ---------------------------------------------------------------------------

    def _transfer(self, instruction: say.Transfer, vertex: Vertex) -> None:
        state = self.state
        with ExitStack() as stack:
            tree = self._tree(stack)
            sources = self._wanted(instruction, stack)
            rules = IgnoreRules.of(instruction.exclude) if instruction.exclude else None
            target = Target(
                destination=instruction.destination,
                workdir=state.workdir,
                owner=self._owner(instruction.chown, tree) if instruction.chown else None,
                chmod=instruction.chmod,
                parents=instruction.parents,
                linked=instruction.link,
                excluded=rules.excludes if rules else None,
                now_ns=time.time_ns(),
                latest_ns=self._latest(),
            )
            planned = plan(sources, target, tree)
            key = key_of(
                "COPY", () if instruction.link else state.layers, self._epoch,
                content=planned.digest(), link=instruction.link,
            )  # fmt: skip

            def make(into: Path) -> UnpackedLayer:
                if state.box is not None:
                    self._put_on_host(planned)
                    return self._build.nothing(into)
                with LayerMaker(into) as maker:
                    for entry in planned.entries():
                        self._build.check()
                        maker.add(entry)
                    return maker.finish()

            self._layer(key, vertex, _shown(instruction) + " # buildkit", make)

    def _tree(self, stack: ExitStack) -> View:
        """Return the files of the stage as it is."""
        state = self.state
        if not state.layers and not state.is_host:
            return Written({})
        tree = self._build.shop.tree(state.layers, box=state.box, is_host=state.is_host)
        return TreeView(stack.enter_context(tree))

    def _put_on_host(self, planned: TransferPlan) -> None:
        """Put files into the container of a stage that is based on the machine itself."""
        with self._build.shop.tree((), box=self.state.box, is_host=True) as tree:
            items = [
                Item(
                    TarEntry(
                        name=entry.path, kind=entry.kind, mode=entry.mode, uid=entry.uid,
                        gid=entry.gid, mtime_ns=entry.mtime_ns, size=entry.size, link=entry.link,
                        rdev=entry.rdev, xattrs=entry.xattrs,
                    ),
                    entry.open,  # type: ignore[arg-type]
                )
                for entry in planned.entries()
                if not planned.pieces[entry.path].is_given
            ]  # fmt: skip
            copy_all(items, TreeDestination(tree, b"/", owner=None))

    def _wanted(self, instruction: say.Transfer, stack: ExitStack) -> list[Wanted]:
        if isinstance(instruction, say.Add):
            found = added(self._build, instruction, self._view("", stack), stack)
        else:
            view = self._view(instruction.from_, stack)
            found = [Wanted(view, source) for source in instruction.sources]
        for content in instruction.contents:
            name = os.fsencode(posixpath.basename(content.name))
            data = content.content.encode("utf-8", "surrogateescape")
            written = Written({name: data}, mtime_ns=time.time_ns())
            found.append(Wanted(written, os.fsdecode(name)))
        return found

    def _view(self, name: str, stack: ExitStack) -> View:
        if not name:
            return self._build.context_view()
        return self._build.view_of(self._planned.sources[name], self._planned, stack)

    def view(self, name: str, stack: ExitStack) -> View:
        """Return the files that ``from=`` names."""
        return self._view(name, stack)

    # ---- WORKDIR -----------------------------------------------------------------------------

    def _workdir(self, instruction: say.Workdir, vertex: Vertex) -> None:
        state = self.state
        path = posixpath.normpath(posixpath.join(state.workdir, instruction.path))
        path = "/" + path.lstrip("/")
        state.config = msgspec.structs.replace(state.config, working_dir=path)
        text = f"WORKDIR {path}"
        if path == "/":
            state.history.append(Row(text, empty=True))
            return
        with ExitStack() as stack:
            tree = self._tree(stack)
            user = state.config.user
            owner = self._owner(user, tree) if user else (0, 0)
            key = key_of("WORKDIR", state.layers, self._epoch, path=path, owner=owner)

            def make(into: Path) -> UnpackedLayer:
                folder = Written({})
                target = Target(
                    path + "/", owner=owner, now_ns=time.time_ns(), latest_ns=self._latest()
                )
                planned = plan([Wanted(folder, "/")], target, tree)
                for piece in planned.pieces.values():
                    if not piece.is_given and piece.fact.kind == "d":
                        break
                else:
                    planned.pieces.clear()
                if state.box is not None:
                    self._put_on_host(planned)
                    return self._build.nothing(into)
                with LayerMaker(into) as maker:
                    for entry in planned.entries():
                        maker.add(entry)
                    return maker.finish()

            self._layer(key, vertex, text, make)


def _complete(
    command: running.Command, points: list[MountPoint], env: list[str]
) -> running.Command:
    """Return the command with its mounts and what comes with them."""
    return replace(command, mounts=tuple(points), env=(*command.env, *env))


def _shown(instruction: say.Transfer) -> str:
    """Return how the history shows a COPY or ADD."""
    parts = ["ADD" if isinstance(instruction, say.Add) else "COPY"]
    parts += ["--parents"] if instruction.parents else []
    parts += [f"--chown={instruction.chown}"] if instruction.chown else []
    parts += [f"--chmod={instruction.chmod}"] if instruction.chmod else []
    parts += [f"--exclude={pattern}" for pattern in instruction.exclude]
    parts += instruction.sources
    parts += [f"<<{content.name}" for content in instruction.contents]
    return " ".join([*parts, instruction.destination])


def _holders(tree: TreeView, targets: list[str]) -> frozenset[bytes]:
    """Return the directories that may have been made only to mount something in them."""
    found = set()
    for target in targets:
        parts = clean(posixpath.dirname(target)).split(b"/")
        for depth in range(1, len(parts) + 1):
            path = b"/".join(parts[:depth])
            if path:
                found.add(b"/" + resolve(tree, path))
    return frozenset(found)


def _text(tree: View, path: str) -> str:
    real = resolve(tree, clean(path))
    fact = tree.fact(real)
    if fact is None or fact.kind != "f":
        return ""
    with tree.open(real) as file:
        return file.read().decode("utf-8", "surrogateescape")


if TYPE_CHECKING:
    from collections.abc import Callable

    _Make = Callable[[Path], UnpackedLayer]
