# SPDX-License-Identifier: MIT
"""What happened in a store, in order: one JSON object a line, Docker's fields.

Rules: a line is appended in one piece; the file is replaced by a fresh one when it
has grown, and the old one is kept as ``events.jsonl.1``. An event that cannot be
written is lost: nothing waits for it.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

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

    Attributes may have any name: the labels of an object are among them.
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
    if kind in ("container", "image"):  # the fields of API 1.21; empty ones are left out
        source = attributes.get("image", "") if kind == "container" else ""
        old = {"status": action, "id": identity, "from": source}
        event |= {key: value for key, value in old.items() if value}
    path = _path(layout)
    with suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, json.dumps(event, separators=(",", ":")).encode() + b"\n")
            # Another writer may have replaced it meanwhile: the fresh one is not to take its place.
            if os.fstat(fd).st_size > _LARGEST and not _is_replaced(fd, path):
                os.replace(path, f"{path}.1")
        finally:
            os.close(fd)


def tell_container(layout: Layout, config: ContainerConfig, action: str, /, **more: str) -> None:
    """Append an event about a container."""
    attributes = {**config.labels, "image": config.image, "name": config.name, **more}
    tell(layout, "container", action, config.id, **attributes)


def tell_prune(layout: Layout, kind: str, freed: int = 0) -> None:
    """Append the event that objects of a kind were pruned, which gave so many bytes."""
    tell(layout, kind, "prune", "", reclaimed=str(freed))


def tell_image(layout: Layout, action: str, image: Image, name: str = "") -> None:
    """Append an event about an image that the store has; its id stands for an empty *name*."""
    labels = image.config.labels or {}
    tell(layout, "image", action, str(image.id), **{**labels, "name": name or str(image.id)})


def tell_transfer(layout: Layout, action: str, reference: Reference) -> None:
    """Append an event about an image on its way from or to a registry, as Docker names it."""
    tell(layout, "image", action, reference.familiar, name=reference.familiar_name)


def read(
    layout: Layout, *, since: float, until: float | None, more: Callable[[], bool] | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the events from *since* on (seconds since 1970) until *until*.

    With *until* None, new ones are waited for as long as *more* (always, if not given).
    """
    path = _path(layout)
    yield from _between(_lines(f"{path}.1"), since, until)
    file = None
    try:
        while True:
            if file is None:
                with suppress(FileNotFoundError):
                    file = open(path, "rb")  # noqa: SIM115 - closed below
            # Looked at before reading: what was written by then is still read.
            over = (until is not None and time.time() > until) or (more is not None and not more())
            replaced = file is not None and _is_replaced(file.fileno(), path)
            if file is not None:
                yield from _between(_parsed(file), since, until)
            if over:
                return
            if replaced and file is not None:
                file.close()
                file = None
                continue
            time.sleep(_NAP)
    finally:
        if file is not None:
            file.close()


def _is_replaced(fd: int, path: Path) -> bool:
    try:
        return os.stat(path).st_ino != os.fstat(fd).st_ino
    except FileNotFoundError:
        return True


def _lines(path: str) -> Iterator[dict[str, Any]]:
    with suppress(FileNotFoundError), open(path, "rb") as file:
        yield from _parsed(file)


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
    """Reads what is appended from now on; it never waits."""

    def __init__(self, layout: Layout) -> None:
        """Begin at the present end of the file, which may not exist."""
        self._path = _path(layout)
        self._file: Any = None
        self._open(at_end=True)

    def _open(self, *, at_end: bool) -> None:
        with suppress(FileNotFoundError):
            self._file = open(self._path, "rb")  # noqa: SIM115 - closed when replaced
            if at_end:
                self._file.seek(0, os.SEEK_END)

    def poll(self) -> list[dict[str, Any]]:
        """Return the events that were appended since the last time."""
        if self._file is None:
            self._open(at_end=False)
        if self._file is None:
            return []
        replaced = _is_replaced(self._file.fileno(), self._path)
        found = list(_parsed(self._file))
        if replaced:  # looked at before reading: the old file is read to its end
            self._file.close()
            self._file = None
            self._open(at_end=False)
            found += self.poll() if self._file is not None else []
        return found

    def history(self, since: float) -> list[dict[str, Any]]:
        """Return the events from *since* on that were there before what `poll` gives next."""
        import io

        kept = self._file
        old = list(_lines(f"{self._path}.1"))
        if kept is None:
            return list(_between(iter(old), since, None))
        with suppress(FileNotFoundError):
            if os.stat(f"{self._path}.1").st_ino == os.fstat(kept.fileno()).st_ino:
                old = []
        present = io.BytesIO(os.pread(kept.fileno(), kept.tell(), 0))
        return list(_between(iter([*old, *_parsed(present)]), since, None))

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None
