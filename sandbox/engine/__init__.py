# SPDX-License-Identifier: MIT
"""The façade: every user-visible verb is a method of `Engine`.

The command line (and later the API server) are two skins over it: they parse and
show, and hold no logic.

Rules: a part is imported when one of its verbs is wanted, so that `run` starts fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from sandbox.store.layout import Layout

if TYPE_CHECKING:
    from sandbox.engine.archive import ArchiveVerbs
    from sandbox.engine.building import BuildVerbs
    from sandbox.engine.commits import CommitVerbs
    from sandbox.engine.containers import ContainerVerbs
    from sandbox.engine.executing import ExecutingVerbs
    from sandbox.engine.facts import FactVerbs
    from sandbox.engine.housekeeping import HousekeepingVerbs
    from sandbox.engine.images import ImageVerbs
    from sandbox.engine.networks import NetworkVerbs
    from sandbox.engine.revival import RevivalVerbs
    from sandbox.engine.running import RunningVerbs
    from sandbox.engine.serving import ServingVerbs
    from sandbox.engine.transfers import TransferVerbs
    from sandbox.engine.volumes import VolumeVerbs

    class _Verbs(
        ServingVerbs,
        FactVerbs,
        ImageVerbs,
        TransferVerbs,
        CommitVerbs,
        BuildVerbs,
        ArchiveVerbs,
        RevivalVerbs,
        NetworkVerbs,
        RunningVerbs,
        ExecutingVerbs,
        HousekeepingVerbs,
        VolumeVerbs,
        ContainerVerbs,
    ):
        """What the parts make together."""

else:

    class _Verbs:
        """Takes part after part in until it has the verb that is wanted."""

        def __getattr__(self, name: str) -> Any:
            for module, part in _PARTS:
                found = vars(getattr(importlib.import_module(f"sandbox.engine.{module}"), part))
                if name in found and not name.startswith("__"):
                    for verb, what in found.items():
                        if not verb.startswith("__"):
                            setattr(_Verbs, verb, what)
                    return getattr(self, name)
            raise AttributeError(f"'Engine' object has no attribute {name!r}", name=name, obj=self)


# Looked through in this order: what `run`, `exec` and `ps` want is found first.
_PARTS = (
    ("containers", "ContainerVerbs"),
    ("running", "RunningVerbs"),
    ("executing", "ExecutingVerbs"),
    ("images", "ImageVerbs"),
    ("volumes", "VolumeVerbs"),
    ("archive", "ArchiveVerbs"),
    ("transfers", "TransferVerbs"),
    ("networks", "NetworkVerbs"),
    ("facts", "FactVerbs"),
    ("commits", "CommitVerbs"),
    ("revival", "RevivalVerbs"),
    ("housekeeping", "HousekeepingVerbs"),
    ("building", "BuildVerbs"),
    ("serving", "ServingVerbs"),
)


class Engine(_Verbs):
    """Everything that can be done with one store."""

    def __init__(self, layout: Layout | None = None) -> None:
        """Use the store in *layout*, by default the user's own."""
        self.layout = layout or Layout.default()
