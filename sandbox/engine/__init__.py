# SPDX-License-Identifier: MIT
"""The façade: every user-visible verb is a method of `Engine`.

The command line (and later the API server) are two skins over it: they parse and
show, and hold no logic.
"""

from __future__ import annotations

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
from sandbox.store.layout import Layout


class Engine(
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
    ContainerVerbs,
    HousekeepingVerbs,
    VolumeVerbs,
):
    """Everything that can be done with one store."""

    def __init__(self, layout: Layout | None = None) -> None:
        """Use the store in *layout*, by default the user's own."""
        self.layout = layout or Layout.default()
