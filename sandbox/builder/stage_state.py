# SPDX-License-Identifier: MIT
"""The state of a stage: its layers, its configuration, its variables.

Rules: only the stage's own thread changes its state. The state of a finished stage, which
other stages read, never changes again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

from sandbox.dockerfile.variables import Scope, proxy_variables

if TYPE_CHECKING:
    from sandbox.builder.workspace import Box
    from sandbox.models import oci
    from sandbox.models.digest import Digest

DEFAULT_SHELL = ("/bin/sh", "-c")


@dataclass
class Row:
    """A row of the history; *created* is None until the image is assembled."""

    created_by: str
    empty: bool
    created: str | None = None
    comment: str = "buildkit.dockerfile.v0"
    author: str = ""


@dataclass
class State:
    """The state of one stage."""

    config: oci.RunConfig
    scope: Scope
    architecture: str
    os: str = "linux"
    variant: str = ""
    layers: tuple[Digest, ...] = ()
    base_count: int = 0
    """How many of the layers belong to the base image."""
    base_rows: int = 0
    """How many rows of the history belong to the base image."""
    is_host: bool = False
    base_blobs: tuple[oci.Descriptor, ...] = ()
    history: list[Row] = field(default_factory=list)
    author: str = ""
    cmd_is_set: bool = False
    box: Box | None = None
    """The one container of a stage that is based on the machine itself."""

    @property
    def shell(self) -> tuple[str, ...]:
        """The shell that runs commands in shell form."""
        return tuple(self.config.shell or DEFAULT_SHELL)

    @property
    def workdir(self) -> str:
        """The working directory."""
        return self.config.working_dir or "/"

    def copy(self) -> State:
        """Return the first state of a stage whose base is this one."""
        return State(
            config=msgspec.structs.replace(self.config, on_build=None),
            scope=self.scope,
            architecture=self.architecture,
            os=self.os,
            variant=self.variant,
            layers=self.layers,
            base_count=self.base_count,
            base_rows=self.base_rows,
            is_host=self.is_host,
            base_blobs=self.base_blobs,
            history=list(self.history),
            author=self.author,
        )


def run_environment(scope: Scope) -> tuple[tuple[str, ...], list[str]]:
    """Return the variables of a RUN, and those of them that belong to its key.

    Proxies from build arguments need no declaration, and do not belong to the key.
    """
    proxies = proxy_variables(scope.build_arguments)
    variables = {**proxies, **scope.variables}
    entries = tuple(f"{name}={value}" for name, value in variables.items())
    return entries, sorted(f"{name}={value}" for name, value in scope.variables.items())


def shown_arguments(scope: Scope) -> str:
    """Return the arguments of a RUN as its history row starts with them: ``|1 A=b ``."""
    shown: dict[str, str] = {}
    for argument in scope.arguments:
        shown[argument.name] = scope.variables.get(argument.name, argument.default or "")
    if not shown:
        return ""
    return " ".join([f"|{len(shown)}", *(f"{name}={value}" for name, value in shown.items()), ""])
