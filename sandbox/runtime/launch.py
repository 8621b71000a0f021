# SPDX-License-Identifier: MIT
"""Start a container and stay with it until it ends.

How it works: make the run directory and its control file, look the user and the command up
in the container's own tree, post the request for the main process, and fork a child that
executes the guest runtime, which finds the request. Then supervise.

Rules: on every way out the run directory is removed and no process is left. Every refusal
happens before the main process exists.

Does not know: images, tags, or where state is recorded (a callback does that).
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed, map_os_errors
from sandbox.models.record import Record, replace
from sandbox.models.security import NO_SHM, UNCONFINED
from sandbox.native import core
from sandbox.runtime import (
    confinement,
    interceptor,
    ipc,
    lifecycle,
    mounts,
    rundir,
    volume_owners,
)
from sandbox.runtime.limits import cgroups, shown
from sandbox.runtime.network import etc_files, membership
from sandbox.runtime.process import lookup, reaper
from sandbox.runtime.process.start import FirstProcess
from sandbox.store import rewritten_copies
from sandbox.store.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from sandbox.models.container import ContainerConfig, MountPoint
    from sandbox.runtime.confinement import Fence
    from sandbox.runtime.interceptor import Choice
    from sandbox.runtime.network.membership import Joined
    from sandbox.runtime.process.start import Attachment
    from sandbox.runtime.rundir import RunDir


# No process runs in a tree that is only read.
_NO_WAY = interceptor.Choice("none", "")


class Place(Record, frozen=True):
    """Where the container's parts lie on the host.

    *index* is None for the machine's own tree, which has no layers.
    """

    store_root: str
    container_dir: str
    upper: str
    owners: str
    index: str | None
    layer_dirs: tuple[str, ...]
    guest: str
    own_root: str = ""
    """The container's own store, if its directory does not tell it."""

    @property
    def layout(self) -> Layout:
        """Return the container's own store."""
        return Layout(
            Path(self.own_root) if self.own_root else Path(self.container_dir).parent.parent
        )


def run(
    config: ContainerConfig,
    place: Place,
    attachment: Attachment,
    *,
    on_start: Callable[[lifecycle.MainProcess], None],
) -> int:
    """Run the container to its end and return its exit code (128 + n for signal n)."""
    with live_tree(config, place, trace=attachment.trace) as run_dir:
        rundir.link_guest(run_dir, place.guest)
        main = FirstProcess(config, run_dir, lookup.prepare(config, run_dir.control))
        with ExitStack() as stack:
            stack.callback(reaper.kill_all, run_dir.control)

            def started(process: lifecycle.MainProcess) -> None:
                # No thread may exist before the fork.
                if attachment.trace:
                    from sandbox.runtime import trace_output

                    stack.enter_context(trace_output.following(run_dir.trace, attachment.view))
                on_start(process)

            status = main.run(attachment, started)
        return lifecycle.exit_code_of(status)


@contextmanager
def live_tree(config: ContainerConfig, place: Place, *, trace: bool = False) -> Iterator[RunDir]:
    """Give the run directory of a container about to run: control file, mounts, interceptor."""
    way = interceptor.choose(config.interceptor, os.environ)
    found = _check_confinement(config, place, way)
    run_dir = rundir.create(config.id, os.environ)
    run_dir = replace(run_dir, landlock=found.landlock, seccomp=found.seccomp)
    try:
        with ExitStack() as stack:
            member = stack.enter_context(membership.joined(config, place.layout, run_dir))
            space = stack.enter_context(ipc.joined(config, run_dir))
            rows = _rows(config, place, run_dir, space)
            if place.index is None:
                from sandbox.runtime import password_files

                password_files.write(run_dir.stand_ins)
            log = stack.enter_context(_connection_log(config, run_dir, member.directory))
            _make_control(
                config,
                place,
                run_dir,
                rows,
                way,
                trace=trace,
                member=member,
                net_log=log,
                space=space,
            )
            held = stack.enter_context(cgroups.made(config.policy, config.id, run_dir))
            shown.show(config.policy, run_dir.control)
            if config.policy.pids_limit and "pids" not in held:
                core.limit_pids(run_dir.control, config.policy.pids_limit)
            if way.traced:
                from sandbox.runtime import tracer

                stack.enter_context(tracer.serving(run_dir.control, place.guest))
            owned = [mount for mount in config.mounts if volume_owners.is_told(mount)]
            if owned:
                tell_owners(run_dir.control, owned)
            yield run_dir
            if owned:
                keep_owners(run_dir.control, owned)
        if way.rewrite:
            rewritten_copies.learn(run_dir.control, place.layer_dirs)
    finally:
        rundir.remove(run_dir.path)


def _check_confinement(config: ContainerConfig, place: Place, way: Choice) -> Fence:
    """Return the fence that will stand. Raises RuntimeFailed."""
    security = config.security
    found = confinement.fence(os.environ, way)
    confinement.check(security, (place.layout, Layout(Path(place.store_root))), found)
    if way.steps and confinement.program_of(security):
        raise RuntimeFailed("a seccomp profile needs a kernel that takes filters from this user")
    return found


def _connection_log(
    config: ContainerConfig, run_dir: RunDir, directory: str | None
) -> AbstractContextManager[str | None]:
    """Write the file of --network-log; give the path where guests record connections."""
    if not config.network.log:
        return nullcontext()
    from sandbox.runtime.network import connection_log

    return connection_log.serving(config.network.log, run_dir, config.id, directory)


@contextmanager
def resting_tree(
    config: ContainerConfig, place: Place, *, with_mounts: bool
) -> Iterator[core.Tree]:
    """Give the tree of a container, running or not; without mounts it is what commit holds."""
    run_dir = rundir.create_passing(config.id, os.environ)
    try:
        rows = _user_rows(config, run_dir) if with_mounts else []
        _make_control(config, place, run_dir, rows, _NO_WAY, trace=False)
        with core.Tree.open(run_dir.control) as tree:
            yield tree
    finally:
        rundir.remove(run_dir.path)


def tell_owners(control: str, owned: Sequence[MountPoint]) -> None:
    """Load the owners of the files in the container's volumes."""
    with core.Tree.open(control) as tree:
        for mount in owned:
            volume_owners.restore(tree, mount, os.path.dirname(control))


def keep_owners(control: str, owned: Sequence[MountPoint]) -> None:
    """Save the owners of the files in the container's volumes."""
    with core.Tree.open(control) as tree:
        for mount in owned:
            volume_owners.save(tree, mount, os.path.dirname(control))


def _make_control(
    config: ContainerConfig,
    place: Place,
    run_dir: RunDir,
    rows: Sequence[mounts.Row],
    way: Choice,
    *,
    trace: bool,
    member: Joined | None = None,
    net_log: str | None = None,
    space: ipc.Space = ipc.Space(),  # noqa: B008 - immutable
) -> None:
    security = config.security
    core.create_control(
        run_dir.control,
        core.ControlSpec(
            run_dir=run_dir.path,
            store_root=place.store_root,
            upper_dir=place.upper,
            owners_path=place.owners,
            index_path=place.index,
            layer_dirs=list(place.layer_dirs),
            mounts=[
                core.Mount(
                    row.kind.value,
                    row.target,
                    row.host,
                    row.read_only,
                    row.uid,
                    row.gid,
                    row.within,
                )
                for row in rows
            ],
            hostname="" if config.namespaces.uts else config.hostname,
            read_only_root=config.read_only,
            trace=trace,
            rewrite=way.rewrite,
            traced=way.traced,
            steps=way.steps,
            host_uid=os.getuid(),
            host_gid=os.getgid(),
            net_dir=member.directory if member else None,
            net_container=member.number if member else 0,
            abstract_sockets=member is not None and member.with_abstract_sockets,
            net_log=net_log,
            ipc_table=space.table,
            ipc_prefix=space.prefix,
            unfenced=confinement.leaves_out(os.environ, "landlock"),
            unruled=confinement.leaves_out(os.environ, "filter"),
            old_processor=os.environ.get(confinement.OLD_PROCESSOR) == "1",
            capabilities=security.capabilities,
            no_new_privileges=security.no_new_privileges,
            unconfined=security.profile == UNCONFINED,
            fenced=run_dir.landlock > 0,
            init=config.init,
            profile=confinement.program_of(security),
        ),
    )
    if way.rewrite:
        rewritten_copies.attach(run_dir.control, place.layer_dirs)


def _rows(
    config: ContainerConfig, place: Place, run_dir: RunDir, space: ipc.Space
) -> list[mounts.Row]:
    shm = space.shm if os.path.isdir(space.shm) else run_dir.shm
    if config.namespaces.ipc == NO_SHM:
        shm = ""
    rows = [
        row
        for row in mounts.system_rows(dev_dir=run_dir.dev, shm_dir=shm)
        if row.kind is mounts.Kind.LINK or os.path.exists(row.host)
    ]
    limit_rows = mounts.limit_rows(shown.cgroup_folder(place.layout))
    rows += [row for row in limit_rows if os.path.isdir(row.target)]
    if place.index is None:
        # Hide the store: the machine's tree contains the container's own and all images.
        store = os.path.realpath(place.store_root)
        rows.append(mounts.Row(mounts.Kind.TMPFS, store, run_dir.nothing, True))
    rows += mounts.etc_rows(run_dir.etc, etc_files.NAMES, read_only=config.read_only)
    return mounts.replace_rows(rows, _user_rows(config, run_dir))


def _user_rows(config: ContainerConfig, run_dir: RunDir) -> list[mounts.Row]:
    tmpfs_dirs = {}
    for number, mount in enumerate(config.mounts):
        if mount.type == "tmpfs":
            tmpfs_dirs[mount.target] = run_dir.tmpfs(number)
            with map_os_errors("cannot make a tmpfs"):
                os.mkdir(run_dir.tmpfs(number), 0o700)
                os.chmod(run_dir.tmpfs(number), 0o1777 if mount.mode is None else mount.mode)
        elif not os.path.lexists(mount.source):
            raise RuntimeFailed(
                'invalid mount config for type "bind": '
                f"bind source path does not exist: {mount.source}"
            )
    owner = mounts.bind_owner(config.user, os.getuid(), os.getgid())
    return mounts.user_rows(config.mounts, tmpfs_dirs, owner)
