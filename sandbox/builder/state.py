# SPDX-License-Identifier: MIT
"""What a stage has come to: its layers, its configuration, its variables.

Rules: a state is changed by one thread, the stage's own; what others take of a finished
stage is never changed again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.models import oci
    from sandbox.models.digest import Digest

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
PROXIES = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)


@dataclass
class Row:
    """A row of the history; *created* is None until the image is put together."""

    created_by: str
    empty: bool
    created: str | None = None
    comment: str = "buildkit.dockerfile.v0"
    author: str = ""


@dataclass
class State:
    """One stage on its way."""

    config: oci.RunConfig
    architecture: str
    os: str = "linux"
    variant: str = ""
    layers: tuple[Digest, ...] = ()
    is_host: bool = False
    base_blobs: tuple[oci.Descriptor, ...] = ()
    history: list[Row] = field(default_factory=list)
    author: str = ""
    arguments: dict[str, str | None] = field(default_factory=dict)
    """What ARG declared so far, in order."""
    cmd_is_set: bool = False
    step: str = ""
    """The key of the last step that made a layer, for those that cannot be told by layers."""

    @property
    def environment(self) -> dict[str, str]:
        """What ENV and the base say."""
        pairs = (entry.partition("=") for entry in self.config.env or ())
        return {name: value for name, _, value in pairs}

    @property
    def shell(self) -> tuple[str, ...]:
        """What runs commands that are text."""
        return tuple(self.config.shell or DEFAULT_SHELL)

    @property
    def workdir(self) -> str:
        """The working directory."""
        return self.config.working_dir or "/"

    @property
    def variables(self) -> dict[str, str]:
        """What ``$name`` means: ENV wins over ARG."""
        declared = {name: value for name, value in self.arguments.items() if value is not None}
        return {**declared, **self.environment}

    def copy(self) -> State:
        """Return the state a stage starts with that is FROM this one."""
        return State(
            config=self.config,
            architecture=self.architecture,
            os=self.os,
            variant=self.variant,
            layers=self.layers,
            is_host=self.is_host,
            base_blobs=self.base_blobs,
            history=list(self.history),
            author=self.author,
            step=self.step,
        )


def run_environment(state: State, given: Mapping[str, str]) -> tuple[tuple[str, ...], list[str]]:
    """Return the variables of a RUN, and those of them that its key is made of.

    *given* are the --build-arg values: those for proxies are there without being declared,
    and then say nothing about the result.
    """
    variables = state.variables
    counted = dict(variables)
    for name in PROXIES & given.keys():
        variables.setdefault(name, given[name])
    variables.setdefault("PATH", DEFAULT_PATH)
    entries = tuple(f"{name}={value}" for name, value in variables.items())
    return entries, sorted(f"{name}={value}" for name, value in counted.items())
