# SPDX-License-Identifier: MIT
"""The instructions of a Dockerfile: one frozen type each.

Rules: a value is the text as written. It still has quotes and ``$variables`` if the language
expands them later (``variables.expand_instruction``). Flags are checked and typed. Names are
not resolved: ``from_`` may name a stage, an index, a context or an image.

Must not know: stages, the order of a build, images.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Span:
    """The lines of one instruction; ``first`` and ``last`` count from one."""

    first: int
    last: int

    def __str__(self) -> str:
        """Return "3" or "3-5"."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Heredoc:
    """A here-document: ``<<NAME`` and the lines up to ``NAME``.

    ``content`` ends with a newline. After ``<<-``, COPY and ADD get it without leading tabs;
    RUN gets it with them, since the shell removes them. ``expand`` is false if the name was
    quoted.
    """

    name: str
    content: str
    expand: bool = True
    strip_tabs: bool = False
    descriptor: int = 0


@dataclass(frozen=True)
class KeyValue:
    """``key=value``; ``spaced`` is true for the old form ``key value``."""

    key: str
    value: str
    spaced: bool = False


@dataclass(frozen=True)
class Argument:
    """One variable of ARG. No default (None) differs from an empty default."""

    name: str
    default: str | None = None


@dataclass(frozen=True)
class Command:
    """A command: a list of words, or (``shell``) one text for the stage's SHELL."""

    words: tuple[str, ...]
    shell: bool


class MountKind(Enum):
    """The ``type`` of ``RUN --mount``."""

    BIND = "bind"
    CACHE = "cache"
    TMPFS = "tmpfs"
    SECRET = "secret"  # noqa: S105 -- a word of the language
    SSH = "ssh"


class Sharing(Enum):
    """What happens when two steps use the same cache mount at the same time."""

    SHARED = "shared"
    PRIVATE = "private"
    LOCKED = "locked"


@dataclass(frozen=True, kw_only=True)
class Mount:
    """One ``RUN --mount=...``. Paths, ids and ``env`` may hold variables until expanded."""

    kind: MountKind
    target: str = ""
    source: str = ""
    from_: str = ""
    """The tree that holds ``source``. "" is the build context (bind) or an empty tree (cache)."""
    read_only: bool = False
    sharing: Sharing = Sharing.SHARED
    id: str = ""
    """The id of a cache, secret or ssh mount; not empty for cache and secret once expanded."""
    size: int = 0
    """The size of a tmpfs in bytes; 0 means no limit."""
    required: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None
    """The environment variable that receives a secret."""


@dataclass(frozen=True)
class Health:
    """HEALTHCHECK. Durations are in nanoseconds; 0 means not given.

    ``test`` is ``("NONE",)``, ``("CMD", word...)`` or ``("CMD-SHELL", text)``.
    """

    test: tuple[str, ...]
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """The fields that every instruction has."""

    span: Span
    original: str
    """The text as one logical line: continuations joined, without comments and without the
    bodies of here-documents. BuildKit shows it as progress."""
    keyword: str
    """The keyword as written: ``run`` or ``RUN``."""
    comments: tuple[str, ...] = ()
    """The comment lines directly above."""


@dataclass(frozen=True, kw_only=True)
class From(Instruction):
    """FROM [--platform=...] image [AS name]. Only global ARGs are expanded in it."""

    image: str
    platform: str = ""
    name: str = ""
    """In lower case; "" if there is none."""
    name_as_written: str = ""
    as_keyword: str = ""


@dataclass(frozen=True, kw_only=True)
class Arg(Instruction):
    """ARG name[=default]..."""

    arguments: tuple[Argument, ...]


@dataclass(frozen=True, kw_only=True)
class Env(Instruction):
    """ENV key=value..., or ENV key value."""

    pairs: tuple[KeyValue, ...]


@dataclass(frozen=True, kw_only=True)
class Label(Instruction):
    """LABEL key=value..."""

    pairs: tuple[KeyValue, ...]


@dataclass(frozen=True, kw_only=True)
class Run(Instruction):
    """RUN command.

    In shell form ``command.words`` is one text that includes the here-documents. If the whole
    command is one here-document that begins with ``#!``, ``program`` holds it. The build then
    writes it to ``/dev/pipes/<name>`` with mode 0755, and that path is the command.
    """

    command: Command
    heredocs: tuple[Heredoc, ...] = ()
    program: Heredoc | None = None
    mount_texts: tuple[str, ...] = ()
    """The ``--mount`` flags as written; ``mounts`` is parsed from them."""
    mounts: tuple[Mount, ...] = ()
    """Complete after ``variables.expand_instruction``. Before, values with variables are missing,
    and only ``kind`` and ``from_`` are reliable."""
    network: str = "default"
    """One of "default", "none", "host"."""
    security: str = "sandbox"
    """One of "sandbox", "insecure"."""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer(Instruction):
    """The fields of COPY and ADD. ``sources`` and then ``contents`` go to ``destination``."""

    sources: tuple[str, ...]
    """Paths and patterns; ADD also accepts URLs and git references."""
    destination: str
    contents: tuple[Heredoc, ...] = ()
    """Files written inline as here-documents; ``name`` is the file's name."""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    exclude: tuple[str, ...] = ()
    from_: str = ""
    """The value of ``COPY --from``: a stage, an index, a named context or an image."""
    parents: bool = False


@dataclass(frozen=True, kw_only=True)
class Copy(Transfer):
    """COPY source... destination."""


@dataclass(frozen=True, kw_only=True)
class Add(Transfer):
    """ADD source... destination. It also downloads URLs, clones git, unpacks local archives."""

    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None
    """None means: unpack local archives, keep downloaded ones as they are."""


@dataclass(frozen=True, kw_only=True)
class Workdir(Instruction):
    """WORKDIR path."""

    path: str


@dataclass(frozen=True, kw_only=True)
class User(Instruction):
    """USER user[:group]."""

    user: str


@dataclass(frozen=True, kw_only=True)
class Expose(Instruction):
    """EXPOSE port[-port][/protocol]..."""

    ports: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Volume(Instruction):
    """VOLUME path..."""

    paths: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Cmd(Instruction):
    """CMD command. A command without words removes the base's CMD."""

    command: Command


@dataclass(frozen=True, kw_only=True)
class Entrypoint(Instruction):
    """ENTRYPOINT command."""

    command: Command


@dataclass(frozen=True, kw_only=True)
class Healthcheck(Instruction):
    """HEALTHCHECK [options] CMD command, or HEALTHCHECK NONE."""

    health: Health


@dataclass(frozen=True, kw_only=True)
class Shell(Instruction):
    """SHELL ["word", ...]."""

    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class StopSignal(Instruction):
    """STOPSIGNAL signal."""

    signal: str


@dataclass(frozen=True, kw_only=True)
class OnBuild(Instruction):
    """ONBUILD instruction. The image stores its text; a build based on the image parses it."""

    expression: str


@dataclass(frozen=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER name (deprecated)."""

    name: str
