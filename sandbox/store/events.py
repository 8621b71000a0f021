# SPDX-License-Identifier: MIT
"""The event log of a store: one JSON object a line, in order, with Docker's fields.

Rules: a line is appended with one write. When the file has grown, it is renamed to
``events.jsonl.1`` and a new one begins. A writer holds a shared lock, and the rename needs the
exclusive lock, so nothing is appended to a renamed file. An event that cannot be written is
dropped, without waiting.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.models.container import ContainerConfig
    from sandbox.models.image import Image
    from sandbox.models.reference import Reference
    from sandbox.store.layout import Layout

_LARGEST = 4 * 1024 * 1024
_NAP = 0.1


def _path(layout: Layout) -> Path:
    return layout.root / "events.jsonl"


def tell(layout: Layout, kind: str, action: str, identity: str, /, **attributes: str) -> None:
    """Append an event about the object with this id (or name).

    Attributes may have any name, since they include the labels of the object.
    """
    moment = time.time_ns()
    event = {
        "Type": kind,
        "Action": action,
        "Actor": {"ID": identity, "Attributes": attributes},
        "scope": "local",
        "time": moment // 10**9,
        "timeNano": moment,
    }
    if kind in ("container", "image"):  # the fields of API 1.21, unless empty
        source = attributes.get("image", "") if kind == "container" else ""
        old = {"status": action, "id": identity, "from": source}
        event |= {key: value for key, value in old.items() if value}
    line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
    with suppress(OSError):
        while not _append(_path(layout), line):
            pass


def _append(path: Path, line: bytes) -> bool:
    """Append to the file; return False if it was renamed before the lock was taken."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _locked(fd, fcntl.LOCK_SH)
        if _is_replaced(fd, path):
            return False
        os.write(fd, line)
        # Other writers may also find the file too large. While this process upgrades its lock,
        # one of them may rename the file; the new one must then stay.
        if (
            os.fstat(fd).st_size > _LARGEST
            and _locked(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            and not _is_replaced(fd, path)
        ):
            os.replace(path, f"{path}.1")
    finally:
        os.close(fd)
    return True


def _locked(fd: int, flags: int) -> bool:
    """Take the lock; return False if it is held. File systems without locks return True."""
    try:
        fcntl.flock(fd, flags)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def tell_container(layout: Layout, config: ContainerConfig, action: str, /, **more: str) -> None:
    """Append an event about a container."""
    attributes = {**config.labels, "image": config.image, "name": config.name, **more}
    tell(layout, "container", action, config.id, **attributes)


def tell_prune(layout: Layout, kind: str, freed: int = 0) -> None:
    """Append the event that objects of *kind* were pruned, which freed that many bytes."""
    tell(layout, kind, "prune", "", reclaimed=str(freed))


def tell_image(layout: Layout, action: str, image: Image, name: str = "") -> None:
    """Append an event about an image in the store; an empty *name* means its id."""
    labels = image.config.labels or {}
    tell(layout, "image", action, str(image.id), **{**labels, "name": name or str(image.id)})


def tell_transfer(layout: Layout, action: str, reference: Reference) -> None:
    """Append an event about a pull or push of an image, named as Docker names it."""
    tell(layout, "image", action, reference.familiar, name=reference.familiar_name)


def read(
    layout: Layout, *, since: float, until: float | None, more: Callable[[], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the events between *since* and *until*, in seconds since 1970.

    If *until* is None, wait for new events as long as *more* returns true, or for ever.
    """
    follower = Follower(layout, at_end=False)
    try:
        while True:
            # Checked before reading, so that events before the end are still read.
            over = (until is not None and time.time() > until) or (more is not None and not more())
            yield from _between(follower.fresh(), since, until)
            if over:
                return
            time.sleep(_NAP)
    finally:
        follower.close()


def _is_replaced(fd: int, path: Path) -> bool:
    try:
        return os.stat(path).st_ino != os.fstat(fd).st_ino
    except FileNotFoundError:
        return True


def _after(path: Path, last: IO[bytes] | None) -> list[IO[bytes]]:
    """Open the files after *last* in order, or all (at most two) if *last* is None."""
    while True:
        present, before = _opened(path), _opened(f"{path}.1")
        found = [file for file in (before, present) if file is not None]
        if present is None or not _is_replaced(present.fileno(), path):
            break
        for file in found:  # the log was renamed in between: open both again
            file.close()
    if (
        last is not None
        and before is not None
        and os.path.sameopenfile(before.fileno(), last.fileno())
    ):
        found.pop(0).close()
    return found


def _opened(path: Path | str) -> IO[bytes] | None:
    with suppress(FileNotFoundError):
        return open(path, "rb")
    return None


def _parsed(file: Any) -> Iterator[dict[str, Any]]:
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


def _between(
    events: Iterator[dict[str, Any]], since: float, until: float | None
) -> Iterator[dict[str, Any]]:
    for event in events:
        moment = event.get("timeNano", 0) / 1e9
        if moment >= since and (until is None or moment <= until):
            yield event


class Follower:
    """Reads events as they are appended, without waiting."""

    def __init__(self, layout: Layout, *, at_end: bool = True) -> None:
        """Begin at the end of the log, or at its beginning. The file may not exist yet."""
        self._path = _path(layout)
        self._files = _after(self._path, None)  # the first is the one being read
        if at_end and self._files:
            for file in self._files[:-1]:
                file.close()
            self._files = self._files[-1:]
            self._files[0].seek(0, os.SEEK_END)

    def poll(self) -> list[dict[str, Any]]:
        """Return the events appended since the last call."""
        return list(self.fresh())

    def fresh(self) -> Iterator[dict[str, Any]]:
        """Yield the events appended since the last call."""
        while True:
            self._files = self._files or _after(self._path, None)
            if not self._files:
                return
            file, *rest = self._files
            # Checked before reading: nothing is appended to a file once it is renamed.
            replaced = bool(rest) or _is_replaced(file.fileno(), self._path)
            yield from _parsed(file)
            rest = rest or (_after(self._path, file) if replaced else [])
            if not rest:
                return
            file.close()
            self._files = rest

    def history(self, since: float) -> list[dict[str, Any]]:
        """Return the events from *since* on that precede those which `poll` returns next."""
        import io

        old: list[dict[str, Any]] = []
        before = _opened(f"{self._path}.1")
        if before is not None:
            with before:
                is_kept = self._files and os.path.sameopenfile(
                    before.fileno(), self._files[0].fileno()
                )
                old = [] if is_kept else list(_parsed(before))
        if self._files:
            kept = self._files[0]
            old += _parsed(io.BytesIO(os.pread(kept.fileno(), kept.tell(), 0)))
        return list(_between(iter(old), since, None))

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
        self._files = []
