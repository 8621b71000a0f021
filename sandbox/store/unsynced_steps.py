# SPDX-License-Identifier: MIT
"""Build steps whose layers were not on the disk when the machine went down."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.models.digest import Digest
from sandbox.store import build_cache
from sandbox.store.atomic_files import discard, write_atomic
from sandbox.store.images import ImageStore
from sandbox.store.layers import remove_layer
from sandbox.store.lock import store_lock

if TYPE_CHECKING:
    from sandbox.store.layout import Layout


def drop_unsynced_steps(layout: Layout) -> None:
    """Drop the records of steps whose layers may be lost.

    All records are looked at once in each boot: later ones are of this boot. No image has
    such a layer (`build_cache.sync_unsettled`), unless it was made durable for it.
    """
    boot = build_cache.boot_id().encode()
    with suppress(OSError):
        if layout.build_boot.read_bytes() == boot:
            return
    with store_lock(layout):
        found = build_cache.steps(layout)
        unsafe = [(key, step) for key, step in found if not build_cache.is_safe(step)]
        for key, _ in unsafe:
            discard(layout.build_step(key), layout=layout)
        if unsafe:
            for layer in {Digest(step.layer) for _, step in unsafe} - ImageStore(layout).needs():
                remove_layer(layout, layer)
        with suppress(SandboxError):  # on a full disk they are looked at again
            write_atomic(layout.build_boot, boot, layout=layout)
