# SPDX-License-Identifier: MIT
"""`engine.containers`: create, run, stop, remove and look into containers.

Rules: a method imports the file of its verb when it is called, since `run` must start fast.

Must not know: how results are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.containers.state import ContainerStates

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from sandbox.engine.containers.commit import CommitRequest
    from sandbox.engine.containers.config import CreateRequest
    from sandbox.engine.containers.stats import Sample
    from sandbox.engine.containers.tree import PathStat
    from sandbox.engine.pruned import Pruned
    from sandbox.models.container import Container
    from sandbox.models.digest import Digest
    from sandbox.runtime.attach import Wishes
    from sandbox.runtime.exec.exec_process import ExecRequest
    from sandbox.runtime.logs.reader import Line, Span
    from sandbox.runtime.process.start import Attachment
    from sandbox.store.layout import Layout


class Containers:
    """The containers of one store.

    *name* is a container's name, its id or the start of its id. A method with a *name* raises
    `ContainerNotFound` if no container has it, and `UsageError` if several ids start with it.
    """

    def __init__(self, layout: Layout) -> None:
        """Use the containers of *layout*."""
        self._layout = layout
        self._states = ContainerStates(layout)

    # ---- make and run ------------------------------------------------------------------------

    def create(self, request: CreateRequest) -> Container:
        """Make a container without starting it.

        Raises `ImageNotFound` if the image is not in the store, `OtherPlatform` if it is for
        another platform than asked for, `RuntimeFailed` if this machine cannot run it, `Conflict`
        if the name is taken, and `UsageError` for invalid values.
        """
        from sandbox.engine.containers.create import create

        return create(self._states, request)

    def run(
        self,
        request: CreateRequest,
        attachment: Attachment | None = None,
        *,
        on_create: Callable[[Container], object] | None = None,
    ) -> int:
        """Create a container, run it in the foreground to its end, and return its exit code.

        The container writes to the standard output and error of this process. This process
        supervises it, so there is no log, no restart and no health check. *on_create* is called
        with the container before it starts.

        Raises what `create` raises; `CommandNotFound` or `CommandNotExecutable` if the command
        cannot be executed, and `RuntimeFailed` if the container cannot be started.
        """
        from sandbox.engine.containers import run
        from sandbox.runtime.process.start import Attachment

        return run.run(self._states, request, attachment or Attachment(), on_create or _ignore)

    def run_attached(
        self,
        request: CreateRequest,
        wishes: Wishes | None = None,
        *,
        on_create: Callable[[Container], object] | None = None,
    ) -> int | None:
        """Create a container under a supervisor and stay with it; return its exit code.

        Returns None if the user detached by keys; the container goes on. Raises what `run` raises.
        """
        from sandbox.engine.containers import start
        from sandbox.runtime.attach import Wishes

        return start.run_attached(self._states, request, wishes or Wishes(), on_create or _ignore)

    def run_detached(
        self,
        request: CreateRequest,
        *,
        on_create: Callable[[Container], object] | None = None,
    ) -> Container:
        """Create a container and start it under a supervisor; it goes on without this process.

        Raises what `run` raises.
        """
        from sandbox.engine.containers import start

        return start.run_detached(self._states, request, on_create or _ignore)

    def start(self, name: str, wishes: Wishes | None = None) -> int | None:
        """Start a container under a supervisor; do nothing if it runs already.

        With *wishes*, stay with the container and return its exit code, or None if the user
        detached. Raises `Conflict` if the container is paused.
        """
        from sandbox.engine.containers import start

        return start.start(self._states, name, wishes)

    def start_in_foreground(self, name: str, attachment: Attachment | None = None) -> int:
        """Run an existing container to its end, as `run` does, and return its exit code."""
        from sandbox.engine.containers.run import start_in_foreground
        from sandbox.runtime.process.start import Attachment

        return start_in_foreground(self._states, name, attachment or Attachment())

    def attach(self, name: str, wishes: Wishes | None = None) -> int | None:
        """Attach to a running container; return its exit code, or None if the user detached.

        Raises `Conflict` if it is stopped or paused, or runs in the foreground of another command.
        """
        from sandbox.engine.containers import start
        from sandbox.runtime.attach import Wishes

        return start.attach(self._states, name, wishes or Wishes())

    # ---- stop and wait -----------------------------------------------------------------------

    def stop(
        self, name: str, *, signal_name: str | None = None, timeout: int | None = None
    ) -> None:
        """Signal the main process to end; after the timeout, kill all processes.

        *signal_name* and *timeout* (seconds) are by default those of the container. A negative
        timeout has no end. Does nothing if the container does not run.
        """
        from sandbox.engine.containers import stop

        stop.stop(self._states, name, signal_name=signal_name, timeout=timeout)

    def restart(
        self, name: str, *, signal_name: str | None = None, timeout: int | None = None
    ) -> None:
        """Stop a container as `stop` does, then start it."""
        from sandbox.engine.containers import stop

        stop.restart(self._states, name, signal_name=signal_name, timeout=timeout)

    def kill(self, name: str, signal_name: str = "KILL") -> None:
        """Send a signal to the main process. Raises `Conflict` if the container does not run."""
        from sandbox.engine.containers import stop

        stop.kill(self._states, name, signal_name)

    def pause(self, name: str) -> None:
        """Suspend all processes of a container.

        Raises `Conflict` if the container does not run or has no supervisor.
        """
        from sandbox.engine.containers import stop

        stop.pause(self._states, name)

    def unpause(self, name: str) -> None:
        """Resume the processes of a paused container. Raises `Conflict`."""
        from sandbox.engine.containers import stop

        stop.pause(self._states, name, "unpause")

    def wait(self, name: str, *, condition: str = "not-running") -> int:
        """Wait until a container has ended, and return its exit code.

        A container that does not run has ended, unless *condition* is ``next-exit``.
        """
        from sandbox.engine.containers.wait import wait

        return wait(self._states, name, condition)

    # ---- look at -----------------------------------------------------------------------------

    def get(self, name: str) -> Container:
        """Return a container with its configuration and its true state."""
        return self._states.find(name)

    def inspect(self, name: str, *, size: bool = False) -> dict[str, Any]:
        """Return the JSON of ``docker inspect``; with *size*, that of ``docker inspect -s``."""
        from sandbox.engine.containers.inspect import inspect

        container = self.get(name)
        return inspect(self._states, container) | (self.sizes(container) if size else {})

    def sizes(self, container: Container) -> dict[str, int]:
        """Return ``SizeRw`` and ``SizeRootFs`` in bytes: the container's files, and all files."""
        from sandbox.engine.containers.tree import sizes

        return sizes(self._states, container)

    def layer_size(self, container: Container) -> int:
        """Return the bytes of the files in a container's own layer."""
        from sandbox.engine.containers.tree import layer_size

        return layer_size(self._states, container)

    def logs(self, name: str, span: Span | None = None, *, follow: bool = False) -> Iterator[Line]:
        """Yield the lines of a container's log; with *follow*, until the container ends.

        *span* limits the lines by time and number. Raises `Unsupported` if the container has no
        log.
        """
        from sandbox.engine.containers.logs import logs
        from sandbox.runtime.logs.reader import Span

        return logs(self._states, name, span or Span(), follow=follow)

    def top(self, name: str, options: Sequence[str] = ()) -> tuple[list[str], list[list[str]]]:
        """Return the headings and rows of ``ps`` for the container's processes.

        *options* are those of ps, by default ``-ef``. Raises `Conflict` if the container does
        not run, and `RuntimeFailed` if ps is missing or fails.
        """
        from sandbox.engine.containers.top import top

        return top(self._states, name, options)

    def stats(self, name: str) -> Sample:
        """Return what a container uses now. Raises `Conflict` if it does not run."""
        from sandbox.engine.containers.stats import stats

        return stats(self.get(name))

    def diff(self, name: str) -> list[tuple[str, str]]:
        """Return the changes of a container to its image as (kind, path), sorted by path.

        The kind is "A" for added, "C" for changed and "D" for deleted.
        """
        from sandbox.engine.containers.tree import diff

        return diff(self._states, name)

    def damaged(self, sound: Collection[str] = ()) -> list[tuple[str, str]]:
        """Return (id, problem) of containers whose records are damaged; see `remove_damaged`.

        *sound* are ids that need no look.
        """
        return [(identity, exc.message) for identity, exc in self._states.store.damaged(sound)]

    def parse_filters(self, filters: Sequence[str]) -> Callable[[Container], bool]:
        """Return the test that `list` applies. Raises `UsageError` for an unknown filter."""
        if not filters:
            return lambda _: True
        from sandbox.engine.containers.filters import parse

        return parse(self._states, filters)

    # ---- processes and files -----------------------------------------------------------------

    def exec(
        self,
        name: str,
        request: ExecRequest,
        *,
        detach: bool = False,
        keys: bytes = b"",
        warn: Callable[[str], object] | None = None,
    ) -> int:
        """Run one more process in a running container and return its exit code.

        With *detach*, return 0 at once. If the container's limits cannot hold for the process,
        *warn* is called with a line of text. Raises `Detached` if the user types *keys* on the
        process's terminal (the process goes on), `Conflict` if the container is paused or does
        not run, and `CommandNotFound` or `CommandNotExecutable` if the command cannot be executed.
        """
        from sandbox.engine.containers.exec import execute

        return execute(self._states, name, request, detach=detach, keys=keys, warn=warn or _ignore)

    def copy_from(
        self,
        name: str,
        source: str,
        target: str,
        *,
        follow: bool = False,
        keep_owners: bool = False,
    ) -> int:
        """Copy a file or directory from a container to the host; return the number of bytes.

        *source* is a path in the container, *target* one on the host, with Docker's rules for
        ``cp``. With *follow*, a link at *source* is followed. With *keep_owners*, files keep the
        ids of their owners. Raises `NotFound` if *source* or the directory of *target* does not
        exist.
        """
        from sandbox.engine.containers import copy

        return copy.copy_from(
            self._states, name, source, target, follow=follow, keep_owners=keep_owners
        )

    def copy_to(
        self,
        name: str,
        source: str,
        target: str,
        *,
        follow: bool = False,
        keep_owners: bool = False,
    ) -> int:
        """Copy a file or directory from the host to a container; return the number of bytes.

        The files belong to root, or with *keep_owners* to the ids of their owners on the host. See
        `copy_from` for the rest.
        """
        from sandbox.engine.containers import copy

        return copy.copy_to(
            self._states, name, source, target, follow=follow, keep_owners=keep_owners
        )

    def get_archive(
        self, name: str, path: str, write: Callable[[bytes], object], *, follow: bool = False
    ) -> None:
        """Write a file or directory of a container as a tar archive. Raises `NotFound`."""
        from sandbox.engine.containers import copy

        copy.get_archive(self._states, name, path, write, follow=follow)

    def put_archive(
        self, name: str, path: str, read: Callable[[int], bytes], *, as_user: bool = False
    ) -> int:
        """Unpack a tar archive into a directory of a container; return the number of bytes.

        With *as_user*, all files belong to the container's user. Raises `UsageError` if *path* is
        no directory.
        """
        from sandbox.engine.containers import copy

        return copy.put_archive(self._states, name, path, read, as_user=as_user)

    def path_stat(self, name: str, path: str) -> PathStat:
        """Return the status of a file in a container. Raises `NotFound`.

        A link is not followed, unless the path ends with a slash.
        """
        from sandbox.engine.containers.tree import path_stat

        return path_stat(self._states, name, path)

    def export(self, name: str, write: Callable[[bytes], object]) -> None:
        """Write all files of a container as one tar archive."""
        from sandbox.engine.containers.tree import export

        export(self._states, name, write)

    def commit(self, name: str, request: CommitRequest | None = None) -> Digest:
        """Make an image from the changes of a container, and return its id.

        Raises `Unsupported` for a container of the image ``host``.
        """
        from sandbox.engine.containers.commit import CommitRequest, commit

        return commit(self._states, name, request or CommitRequest())

    # ---- change and remove -------------------------------------------------------------------

    def rename(self, name: str, new_name: str) -> None:
        """Give a container another name. Raises `Conflict` if the name is taken."""
        from sandbox.engine.containers import update

        update.rename(self._states, name, new_name)

    def update(self, name: str, *, asked: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Change fields of a container's `Policy`.

        `inspect` shows *asked* in HostConfig where nothing true is known. Raises `Conflict` if the
        new limits cannot hold for the running container.
        """
        from sandbox.engine.containers import update

        update.update(self._states, name, changes, asked)

    def remove(self, name: str, *, force: bool = False, volumes: bool = False) -> Container:
        """Delete a container; with *volumes*, also the anonymous volumes that only it mounts.

        With *force*, kill a running container first. Raises `Conflict` if it runs otherwise.
        """
        from sandbox.engine.containers import remove

        return remove.remove(self._states, name, force=force, volumes=volumes)

    def remove_damaged(self, name: str) -> str | None:
        """Delete a container of `damaged` by the start of its id; return the id.

        Returns None unless exactly one damaged container has such an id.
        """
        from sandbox.engine.containers import remove

        return remove.remove_damaged(self._states, name)

    def prune(self, filters: Sequence[str] = ()) -> Pruned:
        """Remove the containers that do not run; *filters* are those of ``container prune``."""
        from sandbox.engine.containers.prune import prune

        return prune(self._states, filters)

    def list(self, *, filters: Sequence[str] = ()) -> list[Container]:
        """Return the containers that pass the filters, stopped ones too, newest first.

        *filters* are those of ``ps --filter``, as in ``status=running``.
        """
        matches = self.parse_filters(filters)
        return [item for item in self._states.all() if matches(item)]


def _ignore(_: object) -> None:
    """Do nothing."""
