# SPDX-License-Identifier: MIT
"""What a server of many clients needs of the engine: connections instead of relays.

Rules: nothing here waits for a container's end or for a client; what is returned is the
caller's to close.
"""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict, NativeError, NotFound, Unsupported
from sandbox.models.digest import Digest
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    import socket

    from sandbox.engine.archive import ArchiveVerbs
    from sandbox.engine.networks import NetworkVerbs
    from sandbox.models.container import Container
    from sandbox.runtime.logs.reader import Reader, Span

    class _Base(ArchiveVerbs, NetworkVerbs):
        """The verbs used here."""

else:
    _Base = object


@dataclass(frozen=True, slots=True)
class PathStat:
    """What is at a path of a container; *mode* is the kernel's, *link* its text."""

    name: str
    size: int
    mode: int
    mtime_ns: int
    link: str


class ServingVerbs(_Base):
    """The part of `Engine` that servers use."""

    def follow_events(self) -> events.Follower:
        """Return a reader of what happens from now on."""
        return events.Follower(self.layout)

    def launch(self, container: Container, *, attach: bool, stdin: bool) -> socket.socket:
        """Start a container; the connection gives its output if it is to be *attached*."""
        from sandbox.runtime.attach import Wishes

        return self._launch(self._startable(container), Wishes(stdin=stdin) if attach else None)

    def join(self, container: Container, *, stdin: bool) -> socket.socket:
        """Return a connection that gives the output of a container that runs."""
        from sandbox.runtime import attach
        from sandbox.runtime.supervisor import protocol

        state = container.state
        if not state.socket:
            raise Conflict(
                f"cannot attach to {container.config.name}: it runs in the foreground of "
                "another command"
            )
        try:
            connection = protocol.connect(state.socket)
        except OSError as exc:
            raise attach.NobodyThere(f"the supervisor does not answer: {exc}") from exc
        try:
            connection.sendall(protocol.line({"verb": "attach", "stdin": stdin, "size": None}))
            attach.understand(protocol.read_line(connection))
        except BaseException:
            connection.close()
            raise
        return connection

    def resize(self, name: str, rows: int, columns: int) -> None:
        """Give a container's terminal another size; one that ended has none, which is fine."""
        container = self.container(name)
        if container.state.is_running:
            self._asked(container, {"verb": "resize", "rows": rows, "columns": columns})
            size = {"height": str(rows), "width": str(columns)}
            events.tell_container(self.layout, container.config, "resize", **size)

    def tell_attached(self, container: Container, action: str = "attach") -> None:
        """Append the event that a client attached, or detached."""
        events.tell_container(self.layout, container.config, action)

    def log_reader(self, name: str, span: Span) -> Reader:
        """Return a reader of what a container said and says."""
        from sandbox.runtime.logs import reader

        container = self.container(name)
        if container.config.policy.log_driver == "none":
            raise Unsupported("configured logging driver does not support reading")
        path = os.fspath(self._containers.directory(container.config.id).log)
        return reader.Reader(path, span)

    def describe(self, name: str) -> dict[str, Any]:
        """Return a container's inspect object."""
        from sandbox.engine.holding import limits_by
        from sandbox.engine.inspection import describe_container

        container = self.container(name)
        return describe_container(
            container,
            directory=self.container_dir(container),
            limits_by=limits_by(container),
            seat=self.seats().get(container.config.id),
            networks=self.networks(),
        )

    def container_sizes(self, container: Container) -> dict[str, int]:
        """Return what a container adds and what it shows in all, in bytes."""
        own = self.container_dir_size(container)
        try:
            image = ImageStore(self.layout).read(Digest(container.config.image_id)).size
        except NotFound:
            image = 0  # the image `host`, or one that was removed
        return {"SizeRw": own, "SizeRootFs": own + image}

    def path_stat(self, name: str, path: str) -> PathStat:
        """Return what is at a path of a container; a link is not followed."""
        with self._files(self.container(name), with_mounts=True) as tree:
            wanted = os.fsencode(posixpath.normpath("/" + path.lstrip("/")))
            try:
                status = tree.stat(wanted, follow=path.endswith("/"))
                target = os.fsdecode(tree.resolve(wanted)) if status.link else ""
            except NativeError:
                what = path.rstrip("/") or "/"
                raise NotFound(f"could not find the file {what} in container {name}") from None
        shown = posixpath.basename(posixpath.normpath("/" + path)) or "/"
        size = status.size if stat.S_ISREG(status.mode) else 4096
        return PathStat(shown, size, status.mode, status.mtime_ns, target)
