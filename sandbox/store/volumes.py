# SPDX-License-Identifier: MIT
"""Volumes: directories that outlive containers.

::

    volumes/<name>/
      volume.json        labels, creation time, whether the user named it
      owners.jsonl       attributes that host files cannot have (see `runtime.volume_owners`)
      _data/             the files

Rules: a volume appears and disappears in one step. Creating a volume that exists returns the
existing one.

Must not know: which containers use a volume.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import CorruptData, NotFound, UsageError, map_os_errors
from sandbox.models.volume import Volume
from sandbox.store import events
from sandbox.store.atomic_files import discard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.models.container import ContainerConfig
    from sandbox.store.layout import Layout

_LONGEST_NAME = 255  # bytes in the name of a directory
_VALID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")


def check_name(name: str) -> str:
    """Return *name*. Raises UsageError, with Docker's message, if it is invalid."""
    if _VALID.fullmatch(name) is None:
        raise UsageError(
            f'"{name}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host '
            "directory, use absolute path"
        )
    if len(name) > _LONGEST_NAME:
        raise UsageError(f"volume name is too long: {len(name)} characters, not {_LONGEST_NAME}")
    return name


def drop_anonymous(layout: Layout, config: ContainerConfig) -> None:
    """Delete the anonymous volumes of a removed container."""
    store = VolumeStore(layout)
    for mount in config.mounts:
        if mount.type == "volume" and mount.anonymous:
            discard(store.place(mount.name), layout=layout)
            events.tell(layout, "volume", "destroy", mount.name, driver="local")


class VolumeStore:
    """All volumes of one store."""

    def __init__(self, layout: Layout) -> None:
        """Remember the *layout*; read nothing."""
        self._layout = layout
        self._root = layout.root / "volumes"

    def place(self, name: str) -> Path:
        """Return the directory of a volume, whether it exists or not."""
        return self._root / check_name(name)

    def ensure(
        self,
        name: str,
        created: str,
        *,
        anonymous: bool = False,
        labels: dict[str, str] | None = None,
    ) -> Volume:
        """Return the volume, after creating it if necessary.

        The caller holds the store's lock, which keeps a prune from removing the draft.
        """
        path = self.place(name)
        if path.exists():
            return self.find(name)
        self._layout.prepare()
        draft = self._layout.tmp / f"volume-{os.urandom(8).hex()}"
        facts = {"name": name, "created": created, "anonymous": anonymous, "labels": labels or {}}
        with map_os_errors(f"cannot create volume {name}"):
            self._root.mkdir(0o700, exist_ok=True)
            draft.mkdir(0o700)
            (draft / "_data").mkdir(0o755)
            (draft / "volume.json").write_text(json.dumps(facts), encoding="ascii")
            try:
                os.rename(draft, path)
            except OSError:
                discard(draft, layout=self._layout)
                if not path.exists():
                    raise
                return self.find(name)
        events.tell(self._layout, "volume", "create", name, driver="local")
        return self.find(name)

    def find(self, name: str) -> Volume:
        """Return the volume with this name. Raises NotFound, CorruptData."""
        path = self.place(name)
        try:
            data: dict[str, Any] = json.loads((path / "volume.json").read_bytes())
            return Volume(
                name=data["name"],
                path=os.fspath(path),
                created=data["created"],
                anonymous=data["anonymous"],
                labels=data["labels"],
            )
        except FileNotFoundError:
            raise NotFound(f"get {name}: no such volume") from None
        except (ValueError, KeyError, TypeError) as exc:
            raise CorruptData(f"volume {name} is damaged: {exc!r}") from exc

    def all(self) -> Iterator[Volume]:
        """Yield every volume, sorted by name; damaged ones are skipped."""
        names: list[str] = []
        with suppress(FileNotFoundError):
            names = sorted(os.listdir(self._root))
        for name in names:
            with suppress(NotFound, CorruptData, UsageError):
                yield self.find(name)

    def remove(self, volume: Volume) -> None:
        """Delete the volume and its files."""
        discard(self.place(volume.name), layout=self._layout)
