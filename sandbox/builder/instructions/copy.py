# SPDX-License-Identifier: MIT
"""COPY, ADD and WORKDIR: the layers that need no command."""

from __future__ import annotations

import os
import posixpath
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import msgspec

from sandbox.builder.cache.key import key_of
from sandbox.builder.cache.step_layer import nothing
from sandbox.builder.file_views import Written
from sandbox.builder.instructions.copy_plan import Target, Wanted, plan
from sandbox.builder.stage_state import Row
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.dockerignore import IgnoreRules
from sandbox.layers.layer_writer import LayerWriter
from sandbox.layers.tar_entry import TarEntry
from sandbox.runtime.copy.destinations import TreeDestination, copy_all
from sandbox.runtime.copy.sources import Item

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.builder.instructions.copy_plan import TransferPlan
    from sandbox.builder.progress import Vertex
    from sandbox.builder.stage import StageBuilder
    from sandbox.layers.unpack import UnpackedLayer


def transfer(stage: StageBuilder, instruction: say.Transfer, vertex: Vertex) -> None:
    """Execute COPY or ADD."""
    state = stage.state
    with ExitStack() as stack:
        tree = stage.tree(stack)
        sources = _wanted(stage, instruction, stack)
        rules = IgnoreRules.of(instruction.exclude) if instruction.exclude else None
        target = Target(
            destination=instruction.destination,
            workdir=state.workdir,
            owner=stage.owner(instruction.chown, tree) if instruction.chown else None,
            chmod=instruction.chmod,
            parents=instruction.parents,
            linked=instruction.link,
            excluded=rules.excludes if rules else None,
            now_ns=time.time_ns(),
            latest_ns=stage.latest,
        )
        planned = plan(sources, target, tree)
        key = key_of(
            "COPY", () if instruction.link else state.layers, stage.epoch,
            content=planned.digest(), link=instruction.link,
        )  # fmt: skip

        def make(into: Path) -> UnpackedLayer:
            if state.box is not None:
                _put_on_host(stage, planned)
                return nothing(into)
            with LayerWriter(into) as maker:
                for entry in planned.entries():
                    stage.build.check()
                    maker.add(entry)
                return maker.finish()

        stage.layer(key, vertex, _shown(instruction) + " # buildkit", make)


def _put_on_host(stage: StageBuilder, planned: TransferPlan) -> None:
    """Put files into the container of a stage that is based on the machine itself."""
    with stage.build.shop.tree((), box=stage.state.box, is_host=True) as tree:
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


def _wanted(stage: StageBuilder, instruction: say.Transfer, stack: ExitStack) -> list[Wanted]:
    if isinstance(instruction, say.Add):
        from sandbox.builder.instructions.add import added  # archives and downloads are rare

        found = added(stage.build, instruction, stage.view("", stack), stack)
    else:
        view = stage.view(instruction.from_, stack)
        found = [Wanted(view, source) for source in instruction.sources]
    for content in instruction.contents:
        name = os.fsencode(posixpath.basename(content.name))
        data = content.content.encode("utf-8", "surrogateescape")
        written = Written({name: data}, mtime_ns=time.time_ns())
        found.append(Wanted(written, os.fsdecode(name)))
    return found


def change_directory(stage: StageBuilder, instruction: say.Workdir, vertex: Vertex) -> None:
    """Execute WORKDIR."""
    state = stage.state
    path = posixpath.normpath(posixpath.join(state.workdir, instruction.path))
    path = "/" + path.lstrip("/")
    state.config = msgspec.structs.replace(state.config, working_dir=path)
    text = f"WORKDIR {path}"
    if path == "/":
        state.history.append(Row(text, empty=True))
        return
    with ExitStack() as stack:
        tree = stage.tree(stack)
        user = state.config.user
        owner = stage.owner(user, tree) if user else (0, 0)
        key = key_of("WORKDIR", state.layers, stage.epoch, path=path, owner=owner)

        def make(into: Path) -> UnpackedLayer:
            folder = Written({})
            target = Target(path + "/", owner=owner, now_ns=time.time_ns(), latest_ns=stage.latest)
            planned = plan([Wanted(folder, "/")], target, tree)
            for piece in planned.pieces.values():
                if not piece.is_given and piece.fact.kind == "d":
                    break
            else:
                planned.pieces.clear()
            if state.box is not None:
                _put_on_host(stage, planned)
                return nothing(into)
            with LayerWriter(into) as maker:
                for entry in planned.entries():
                    maker.add(entry)
                return maker.finish()

        stage.layer(key, vertex, text, make)


def _shown(instruction: say.Transfer) -> str:
    """Return the history's text of a COPY or ADD."""
    parts = ["ADD" if isinstance(instruction, say.Add) else "COPY"]
    parts += ["--parents"] if instruction.parents else []
    parts += [f"--chown={instruction.chown}"] if instruction.chown else []
    parts += [f"--chmod={instruction.chmod}"] if instruction.chmod else []
    parts += [f"--exclude={pattern}" for pattern in instruction.exclude]
    parts += instruction.sources
    parts += [f"<<{content.name}" for content in instruction.contents]
    return " ".join([*parts, instruction.destination])
