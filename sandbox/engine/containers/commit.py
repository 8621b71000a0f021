# SPDX-License-Identifier: MIT
"""``commit``: an image from the changes of a container.

Rules: the work is proportional to the changes, not to the image. A running container goes on
meanwhile. A file that the container changes during the commit may be in any of its states.
"""

from __future__ import annotations

import io
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from sandbox.engine.containers.tree import open_tree
from sandbox.errors import Unsupported
from sandbox.layers.whiteout import check_name
from sandbox.models import oci
from sandbox.models.digest import Digest, parse_digest
from sandbox.models.file_type import kind_of
from sandbox.models.reference import parse_reference
from sandbox.runtime import spec
from sandbox.runtime.copy.sources import leaving_out_what_is_gone
from sandbox.store import events
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.layers.tar_writer import PackEntry
    from sandbox.models.container import ContainerConfig
    from sandbox.models.image import Image
    from sandbox.models.policy import Health
    from sandbox.native import core


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRequest:
    """The name and the description of the new image."""

    reference: str | None = None
    author: str = ""
    message: str = ""
    changes: Sequence[str] = ()
    wanted: oci.RunConfig | None = None
    """Fields of the new image's configuration; empty ones come from the container."""


def commit(states: ContainerStates, name: str, request: CommitRequest) -> Digest:
    """Make an image from the changes of a container and return its id."""
    from sandbox.engine.images.changes import applied
    from sandbox.layers.tar_writer import write_tar
    from sandbox.layers.unpack import unpack_layer
    from sandbox.store.atomic_files import workspace

    container = states.find(name)
    config = container.config
    reference = None
    if request.reference is not None:
        reference = parse_reference(request.reference).with_default_tag()
    store = ImageStore(states.layout)
    if config.image == "host" or config.image.startswith("host:"):
        raise Unsupported(
            "a container of the image 'host' cannot be committed: the machine's files are no "
            "layer (use 'export' and 'import')"
        )
    base = store.read(Digest(config.image_id))
    run_config = _run_config(config, base)
    if request.wanted is not None:
        run_config = overlaid(run_config, request.wanted)
    run_config = applied(run_config, request.changes)
    with workspace(states.layout) as scratch:
        spool = scratch / "layer.tar"
        with open_tree(states, container, with_mounts=False) as tree, spool.open("wb") as out:
            write_tar(_changed(tree), out.write)
        into = scratch / "layer"
        into.mkdir()
        with spool.open("rb") as file:
            layer = unpack_layer(file, into, keep=scratch / "blob")
        assert layer.blob is not None
        document = _document(base, run_config, layer.diff_id, request, config)
        known = len(base.blobs) == len(base.layers)
        image = NewImage(
            oci.encode(document),
            () if reference is None else (reference,),
            blobs=(*base.blobs, layer.blob) if known else (),
            parent=str(base.id),
        )
        blobs = {parse_digest(layer.blob.digest): scratch / "blob"} if known else {}
        image_id = store.add([image], {layer.diff_id: layer.path}, blobs)[0]
    events.tell_container(
        states.layout, config, "commit", comment=request.message, imageID=str(image_id)
    )
    if reference is not None:
        events.tell_image(states.layout, "tag", store.read(image_id), reference.familiar)
    return image_id


def overlaid(config: oci.RunConfig, wanted: oci.RunConfig) -> oci.RunConfig:
    """Return *config* with the non-empty fields of *wanted*.

    Labels, variables, volumes and ports are added to those of *config*. A new entry point without
    a new command removes the command.

    >>> plain = oci.RunConfig(cmd=["sh"], env=["A=1", "B=1"], labels={"a": "1"})
    >>> found = overlaid(plain, oci.RunConfig(entrypoint=["x"], env=["B=2"], labels={"b": "2"}))
    >>> found.entrypoint, found.cmd, found.env, found.labels
    (['x'], None, ['A=1', 'B=2'], {'a': '1', 'b': '2'})
    """
    said = {
        name: value
        for name in wanted.__struct_fields__
        if (value := getattr(wanted, name)) not in (None, "", False, [], {})
    }
    for name in ("labels", "volumes", "exposed_ports"):
        if name in said:
            said[name] = {**(getattr(config, name) or {}), **said[name]}
    if "env" in said:
        said["env"] = list(spec.merge_env(config.env or (), said["env"]))
    if "entrypoint" in said:
        said.setdefault("cmd", None)
    return msgspec.structs.replace(config, **said)


def _run_config(config: ContainerConfig, base: Image) -> oci.RunConfig:
    """Return the configuration of the new image: that of the container over that of its image."""
    return msgspec.structs.replace(
        base.config,
        user=config.user,
        env=list(config.env),
        entrypoint=list(config.entrypoint) or None,
        cmd=list(config.cmd) or None,
        working_dir=config.working_dir if config.working_dir != "/" else base.config.working_dir,
        labels=dict(config.labels) or None,
        exposed_ports={port: {} for port in config.exposed_ports} or None,
        volumes={
            **(base.config.volumes or {}),
            **{mount.target: {} for mount in config.mounts if mount.anonymous},
        }
        or None,
        stop_signal=base.config.stop_signal
        or ("" if config.stop_signal == "SIGTERM" else config.stop_signal),
        healthcheck=_healthcheck(config.policy.health, base.config.healthcheck),
    )


def _healthcheck(health: Health | None, of_image: oci.Healthcheck | None) -> oci.Healthcheck | None:
    """Return the health check of the new image: the container's, unless it is its image's."""
    from sandbox.engine.containers.config import merge_health

    if health == merge_health(of_image, None):
        return of_image
    if health is None:
        return oci.Healthcheck(["NONE"])
    return oci.Healthcheck(
        test=list(health.test),
        interval=health.interval,
        timeout=health.timeout,
        start_period=health.start_period,
        start_interval=health.start_interval,
        retries=health.retries,
    )


def _document(
    base: Image,
    run_config: oci.RunConfig,
    diff_id: Digest,
    request: CommitRequest,
    config: ContainerConfig,
) -> oci.ImageConfig:
    from sandbox.engine.containers.inspect import describe_config

    now = oci.timestamp()
    step = oci.History(
        created=now,
        created_by=" ".join(config.args),
        author=request.author,
        comment=request.message,
    )
    return oci.ImageConfig(
        architecture=base.architecture,
        os=base.os,
        variant=base.variant,
        created=now,
        author=request.author,
        config=run_config,
        rootfs=oci.RootFS("layers", [*base.layers, diff_id]),
        history=[*base.history, step],
        container=config.id,
        container_config=describe_config(config),
    )


def _changed(tree: core.Tree) -> Iterator[PackEntry]:
    """Yield the changes to the image; deletions are whiteouts as in OCI layers."""
    changes = tree.changes()
    for kind, path in changes:
        if kind != "D":
            check_name(path.strip(b"/"))
    for kind, path in changes:
        if kind == "D":
            yield _whiteout(path)
            continue
        with leaving_out_what_is_gone():
            entry = _entry(tree, path)
            if entry is not None:
                yield entry


def _whiteout(path: bytes) -> PackEntry:
    from sandbox.layers.tar_writer import PackEntry

    parent, _, name = path.strip(b"/").rpartition(b"/")
    mark = b".wh." + name
    return PackEntry(
        path=parent + b"/" + mark if parent else mark,
        kind="f",
        mode=0o600,
        open=lambda: io.BytesIO(b""),
    )


def _entry(tree: core.Tree, path: bytes) -> PackEntry | None:
    from sandbox.layers.tar_writer import PackEntry

    status = tree.stat(path, follow=False)
    kind = kind_of(status.mode)
    if kind is None:
        return None  # images hold no sockets
    is_file = kind == "f"
    return PackEntry(
        path=path.strip(b"/"),
        kind=kind,
        mode=stat.S_IMODE(status.mode),
        uid=status.uid,
        gid=status.gid,
        mtime_ns=status.mtime_ns,
        size=status.size if is_file else 0,
        link=status.link or b"",
        rdev=(os.major(status.rdev), os.minor(status.rdev)) if kind in "cb" else (0, 0),
        xattrs=dict(tree.xattrs(path)) if kind in "fd" else {},
        inode=(status.dev, status.ino) if kind != "d" and status.nlink > 1 else None,
        open=(lambda: _opened(tree, path)) if is_file else None,
    )


def _opened(tree: core.Tree, path: bytes) -> BinaryIO:
    return open(tree.open_file(path), "rb")
