# SPDX-License-Identifier: MIT
"""What a Dockerfile can say: one frozen type for each instruction.

Rules: a value is what was written, with quotes and ``$variables`` still in it where the
language expands them later (``variables.expand_instruction``); flags are checked and typed.
Nothing here is resolved: ``from_`` may name a stage, an index, a context or an image.

Does not know: stages, the order of a build, images.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Span:
    """The lines of a file that say one thing; ``first`` and ``last`` count from one."""

    first: int
    last: int

    def __str__(self) -> str:
        """Return "3" or "3-5"."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclass(frozen=True)
class Heredoc:
    """A here-document: ``<<NAME`` and the lines up to ``NAME``.

    ``content`` has its final newline. Of COPY and ADD it has no leading tabs after ``<<-``;
    of RUN it has them still, the shell takes them off. ``expand`` is false when the name
    was quoted.
    """

    name: str
    content: str
    expand: bool = True
    strip_tabs: bool = False
    descriptor: int = 0


@dataclass(frozen=True)
class KeyValue:
    """``key=value``; ``spaced`` for the old form ``key value``."""

    key: str
    value: str
    spaced: bool = False


@dataclass(frozen=True)
class Argument:
    """One variable of ARG; no default is not the same as an empty one."""

    name: str
    default: str | None = None


@dataclass(frozen=True)
class Command:
    """A command line: words to execute, or (``shell``) one text for the stage's SHELL."""

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
    """What happens when two steps want the same cache mount at once."""

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
    """Where ``source`` is looked up: "" is the build context (bind) or an empty tree (cache)."""
    read_only: bool = False
    sharing: Sharing = Sharing.SHARED
    id: str = ""
    """Of a cache, secret or ssh mount; never empty for the first two after expansion."""
    size: int = 0
    """Bytes of a tmpfs; 0: no limit."""
    required: bool = False
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    env: str | None = None
    """Of a secret: the variable it is put in."""


@dataclass(frozen=True)
class Health:
    """HEALTHCHECK: durations in nanoseconds, 0 for what was not given.

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
    """What every instruction has."""

    span: Span
    original: str
    """The text as one logical line: continuations joined, comments gone, body of a
    here-document not included. BuildKit shows this in its progress."""
    keyword: str
    """As it was written: ``run``, ``RUN``."""
    comments: tuple[str, ...] = ()
    """The comment lines right above."""


@dataclass(frozen=True, kw_only=True)
class From(Instruction):
    """FROM [--platform=...] image [AS name]. Only global arguments are expanded in it."""

    image: str
    platform: str = ""
    name: str = ""
    """Lower case; "" for none."""
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

    In shell form ``command.words`` is one text, with the here-documents put into it. When
    the whole command is one here-document that begins with ``#!``, it is ``program``: a file
    (mode 0755) that has to be at ``/dev/pipes/<name>``, which is then the command's text.
    """

    command: Command
    heredocs: tuple[Heredoc, ...] = ()
    program: Heredoc | None = None
    mount_texts: tuple[str, ...] = ()
    """The flags as written; ``mounts`` is made from them."""
    mounts: tuple[Mount, ...] = ()
    """Complete after ``variables.expand_instruction``; before it, values with variables are left
    out, and only ``kind`` and ``from_`` can be relied on."""
    network: str = "default"
    """default, none or host."""
    security: str = "sandbox"
    """sandbox or insecure."""
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transfer(Instruction):
    """What COPY and ADD share: ``sources`` first, then each of ``contents``, into one place."""

    sources: tuple[str, ...]
    """Paths, patterns; for ADD also URLs and git references."""
    destination: str
    contents: tuple[Heredoc, ...] = ()
    """Files written in the Dockerfile itself; ``name`` is the file's name."""
    chown: str = ""
    chmod: str = ""
    link: bool = False
    exclude: tuple[str, ...] = ()
    from_: str = ""
    """--from of COPY: a stage, an index, a named context or an image."""
    parents: bool = False


@dataclass(frozen=True, kw_only=True)
class Copy(Transfer):
    """COPY source... destination."""


@dataclass(frozen=True, kw_only=True)
class Add(Transfer):
    """ADD source... destination: also from URLs, from git, and unpacking local archives."""

    checksum: str = ""
    keep_git_dir: bool | None = None
    unpack: bool | None = None
    """None: local archives are unpacked, downloaded ones are not."""


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
    """CMD command; no words at all unsets it."""

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
    """ONBUILD instruction: kept as text in the image and parsed when that image is a base."""

    expression: str


@dataclass(frozen=True, kw_only=True)
class Maintainer(Instruction):
    """MAINTAINER name (deprecated)."""

    name: str
