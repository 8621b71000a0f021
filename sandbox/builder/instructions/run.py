# SPDX-License-Identifier: MIT
"""RUN: its key, its container, and the resulting layer.

Rules: the layer is the container's upper alone, without the directories that were made only
to hold mounts.
"""

from __future__ import annotations

import os
import posixpath
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.builder.cache.key import key_of
from sandbox.builder.cache.step_layer import nothing
from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import TreeView, clean, resolve
from sandbox.builder.instructions import metadata, run_container
from sandbox.builder.instructions.copy_plan import Target, Wanted, plan
from sandbox.builder.instructions.run_mounts import MountMaker, identity_of
from sandbox.builder.stage_state import run_environment, shown_arguments
from sandbox.dockerfile import instructions as say
from sandbox.errors import Unsupported
from sandbox.layers.upper_layer import Changes, adopt_upper
from sandbox.models.container import MountPoint
from sandbox.models.network import BUILD

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.builder.progress import Vertex
    from sandbox.builder.stage import StageBuilder
    from sandbox.builder.workspace import Box
    from sandbox.layers.unpack import UnpackedLayer

_SYSTEM_TARGETS = ("/etc/hosts", "/dev/null", "/proc/self", "/sys/x")


def run_command(stage: StageBuilder, instruction: say.Run, vertex: Vertex) -> None:
    """Execute RUN."""
    if instruction.security == "insecure":
        raise Unsupported("security.insecure is not allowed: builds have no privileges to grant")
    if instruction.devices:
        raise Unsupported("RUN --device is not supported: there are no CDI devices here")
    network = instruction.network
    if network == BUILD:
        network = stage.build.request.network
    state = stage.state
    argv = metadata.command_line(state, instruction.command)
    env, counted = run_environment(state.scope)
    shown = shown_arguments(state.scope) + " ".join(argv)
    with ExitStack() as stack:
        bound = [_bound_digest(stage, mount, stack) for mount in instruction.mounts]
        program = instruction.program
        key = key_of(
            "RUN", state.layers, stage.epoch,
            argv=argv, env=counted, user=state.config.user, workdir=state.workdir,
            mounts=[identity_of(m, d) for m, d in zip(instruction.mounts, bound, strict=True)],
            network=network, program=program.content if program else "",
            hosts=sorted(stage.build.request.hosts), arch=state.architecture,
        )  # fmt: skip
        command = run_container.Command(
            argv=argv,
            env=env,
            user=state.config.user,
            workdir=state.workdir,
            hosts=stage.build.request.hosts,
            ulimits=stage.build.request.ulimits,
            network=network,
        )

        def make(into: Path) -> UnpackedLayer:
            return _execute(stage, instruction, command, into, vertex)

        stage.layer(key, vertex, f"RUN {shown} # buildkit", make)


def _bound_digest(stage: StageBuilder, mount: say.Mount, stack: ExitStack) -> str:
    """Return the digest of the content of a bind mount."""
    if mount.kind is not say.MountKind.BIND:
        return ""
    view = stage.view(mount.from_, stack)
    source = Wanted(view, mount.source or "/")
    return plan([source], Target("/x/"), None).digest()


def _execute(
    stage: StageBuilder,
    instruction: say.Run,
    command: run_container.Command,
    into: Path,
    vertex: Vertex,
) -> UnpackedLayer:
    build, state = stage.build, stage.state
    box = state.box or build.shop.box()
    with ExitStack() as stack:
        mount_maker = MountMaker(build.shop, build.request, stage, stack, state.workdir)
        for mount in instruction.mounts:
            mount_maker.add(mount)
        points = [*mount_maker.result.points, *build.request.volumes]
        if instruction.program is not None:
            points.append(_program(instruction.program, box))
        place = build.shop.place(state.layers, box, is_host=state.is_host)
        code = run_container.run(
            _complete(command, points, mount_maker.result.env),
            box,
            place,
            output=lambda data, stream: build.reporter.say(vertex, data, stream),
            cancel=build.cancel,
        )
    if code:
        shown = " ".join(command.argv)
        raise StepFailed(f'process "{shown}" did not complete successfully: exit code: {code}')
    if state.box is not None:
        return nothing(into)
    targets = [*_SYSTEM_TARGETS, *(point.target for point in points)]
    with build.shop.tree(state.layers, box=box) as tree:
        changes = Changes(tree, latest_ns=stage.latest, unwanted=_holders(TreeView(tree), targets))
    return adopt_upper(changes, into)


def _program(program: say.Heredoc, box: Box) -> MountPoint:
    path = box.path / "program"
    path.write_bytes(program.content.encode("utf-8", "surrogateescape"))
    path.chmod(0o755)
    target = f"/dev/pipes/{program.name}"
    return MountPoint("bind", target, os.fspath(path), read_only=True)


def _complete(
    command: run_container.Command, points: list[MountPoint], env: list[str]
) -> run_container.Command:
    """Return the command with its mounts and their variables."""
    return replace(command, mounts=tuple(points), env=(*command.env, *env))


def _holders(tree: TreeView, targets: list[str]) -> frozenset[bytes]:
    """Return the directories that may have been made only to hold a mount."""
    found = set()
    for target in targets:
        parts = clean(posixpath.dirname(target)).split(b"/")
        for depth in range(1, len(parts) + 1):
            path = b"/".join(parts[:depth])
            if path:
                found.add(b"/" + resolve(tree, path))
    return frozenset(found)
