# SPDX-License-Identifier: MIT
"""Removes build steps whose layers a crash of the machine may have damaged."""

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
    """Remove the records of steps that an earlier boot made and did not sync, and their layers.

    One pass in each boot is enough, since later records are of this boot. Images have no such
    layers, because `build_cache.sync_unsettled` syncs the layers of a new image.
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
        with suppress(SandboxError):  # if the disk is full, the pass is repeated
            write_atomic(layout.build_boot, boot, layout=layout)
