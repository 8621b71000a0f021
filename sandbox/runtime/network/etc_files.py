# SPDX-License-Identifier: MIT
"""The files laid over /etc: hosts, hostname, resolv.conf.

How it works: the files lie in their own directory below the run directory. The container may
write them, but neither make nor remove names there. Every start makes them anew. When other
containers start or end, lines of ``hosts`` are added or removed; everything else that the
container wrote there stays.

Rules: what a container made of its file is a stranger's: a link is not followed, and a file of
more than a megabyte is left as it is. A file is replaced as a whole, or one write within a page
extends it, so a reader sees either the old or the new content. Every added or removed line
follows from two members, so nothing else is stored.

Does not know: when containers start and end (see `membership`).
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.models.addresses import parse_address
from sandbox.models.endpoints import GATEWAY_NAME, HOST_ALIAS
from sandbox.models.network import NAME_SERVER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.models.endpoints import NetworkConfig
    from sandbox.runtime.network.members import Member

NAMES = ("hosts", "hostname", "resolv.conf")
_PAGE = 4096
_LARGEST = 1 << 20

_LOCAL = (
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "ff00::\tip6-mcastprefix\n"
    "ff02::1\tip6-allnodes\n"
    "ff02::2\tip6-allrouters\n"
)


def write(directory: str, contents: dict[str, str]) -> None:
    """Write all three files."""
    with map_os_errors(f"cannot write in {directory}"):
        os.makedirs(directory, mode=0o755, exist_ok=True)
        for name, text in contents.items():
            _replace(f"{directory}/{name}", text.encode("utf-8", "surrogateescape"))


def _replace(path: str, content: bytes) -> None:
    draft = f"{path}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with suppress(FileNotFoundError):
        os.unlink(draft)
    fd = os.open(draft, flags, 0o644)
    with open(fd, "wb") as file:
        os.fchmod(fd, 0o644)
        file.write(content)
    os.replace(draft, path)


def host_file(path: str) -> str:
    """Return the content of a file of the machine, empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read()
    except OSError:
        return ""
    return text if text.endswith("\n") or not text else text + "\n"


# ---- hosts -------------------------------------------------------------------------------


def machine_hosts(hostname: str, config: NetworkConfig) -> str:
    """Return the hosts file of a container on the machine's own network."""
    extra = "".join(
        f"{'127.0.0.1' if address == GATEWAY_NAME else address}\t{name}\n"
        for name, address in config.extra_hosts
    )
    text = host_file("/etc/hosts") or "127.0.0.1\tlocalhost\n"
    return f"{text}{extra}127.0.0.1\t{hostname}\n"


def own_hosts(
    member: Member,
    config: NetworkConfig,
    allowed: Iterable[tuple[str, str]],
    others: Iterable[Member],
) -> str:
    """Return the hosts file of a container with its own addresses or without any network."""
    gateway = next((item.gateway for item in member.endpoints if item.gateway), "")
    lines = [
        f"{gateway if address == GATEWAY_NAME else address}\t{name}\n"
        for name, address in config.extra_hosts
        if address != GATEWAY_NAME or gateway
    ]
    if gateway and all(name != HOST_ALIAS for name, _ in config.extra_hosts):
        lines.append(f"{gateway}\t{HOST_ALIAS}\n")
    lines += [f"{address}\t{name}\n" for address, name in allowed]
    lines += self_lines(member, others)
    return _LOCAL + "".join(lines)


def self_lines(member: Member, others: Iterable[Member]) -> list[str]:
    """Return the lines about the container itself that depend on its networks."""
    if not member.endpoints:
        return [f"127.0.0.1\t{' '.join(_host_names(member.hostname))}\n"]
    names = " ".join(_host_names(member.hostname))
    lines = [f"{item.address}\t{names}\n" for item in member.endpoints]
    for other in others:
        lines += lines_about(member, other)
    return lines


def _host_names(hostname: str) -> list[str]:
    """Return a host name and, if it has a domain, the name without it."""
    return list(dict.fromkeys((hostname, hostname.partition(".")[0])))


def lines_about(reader: Member, other: Member) -> list[str]:
    """Return the lines about *other* in the hosts file of *reader*: its links on `bridge`.

    The name server knows all other names.
    """
    if other.id == reader.id or other.shares:
        return []
    lines = []
    for mine in reader.endpoints:
        theirs = other.on(mine.network)
        links = [alias for linked, alias in mine.links if linked in (other.id, other.name)]
        if theirs is None or mine.has_names or not links:
            continue
        names = [other.name, other.id[:12], *theirs.aliases, other.hostname, *links]
        lines.append(f"{theirs.address}\t{' '.join(dict.fromkeys(names))}\n")
    return lines


def amend(path: str, gone: Sequence[str], come: Sequence[str]) -> None:
    """Remove lines from a hosts file and add others; do nothing if the file is gone."""
    removed = [line.encode() for line in gone if line not in come]
    added = [line.encode() for line in come if line not in gone]
    if not removed and not added:
        return
    with suppress(FileNotFoundError):
        if removed or not _append(path, b"".join(added)):
            _rewrite(path, removed, added)


def _open(path: str, flags: int) -> int | None:
    """Open a hosts file; None for one that the engine neither reads nor writes."""
    try:
        fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            return None
        raise
    status = os.fstat(fd)
    if stat.S_ISREG(status.st_mode) and status.st_size <= _LARGEST:
        return fd
    os.close(fd)
    return None


def read_hosts(path: str) -> bytes | None:
    """Return the hosts file of a container, or None if the engine does not read it."""
    fd = _open(path, os.O_RDONLY)
    if fd is None:
        return None
    with open(fd, "rb") as file:
        return file.read(_LARGEST)


def _append(path: str, data: bytes) -> bool:
    """Append lines if they fit into one page, so that no reader sees a part of them.

    Return False if they must go into a new file.
    """
    fd = _open(path, os.O_RDWR | os.O_APPEND)
    if fd is None:
        return True
    try:
        size = os.fstat(fd).st_size
        is_whole = size > 0 and os.pread(fd, 1, size - 1) == b"\n"
        if not is_whole or size % _PAGE + len(data) > _PAGE:
            return False
        return os.write(fd, data) == len(data)
    finally:
        os.close(fd)


def _rewrite(path: str, removed: Sequence[bytes], added: Sequence[bytes]) -> None:
    text = before = read_hosts(path)
    if text is None:
        return
    for line in removed:
        while b"\n" + line in text:
            text = text.replace(b"\n" + line, b"\n")
    if text and not text.endswith(b"\n"):
        text += b"\n"
    for line in added:
        if b"\n" + line not in text:
            text += line
    if text != before:
        _replace(path, text)


# ---- resolv.conf -------------------------------------------------------------------------


def resolv_conf(machine: str, config: NetworkConfig, *, named: bool = False) -> str:
    r"""Return resolv.conf: the machine's settings, overridden by the user's options.

    On a network with names (*named*) the networks' own server is the only one.

    >>> from sandbox.models.endpoints import NetworkConfig
    >>> resolv_conf("nameserver 10.0.0.1\nsearch a b\n", NetworkConfig(dns=("10.0.0.2",)))
    'nameserver 10.0.0.2\nsearch a b\n'
    >>> resolv_conf("nameserver 10.0.0.1\n", NetworkConfig(), named=True)
    'nameserver 127.0.0.11\noptions ndots:0\n'
    """
    if not (config.dns or config.dns_search or config.dns_options or named):
        return machine
    rows = [line.split() for line in machine.splitlines()]
    servers = config.dns or tuple(row[1] for row in rows if len(row) > 1 and row[0] == "nameserver")
    search = config.dns_search or tuple(
        word for row in rows if row and row[0] in ("search", "domain") for word in row[1:]
    )
    options = config.dns_options or tuple(
        word for row in rows if row and row[0] == "options" for word in row[1:]
    )
    if named:
        servers = (NAME_SERVER,)
        if not any(word.startswith("ndots:") for word in options):
            options = (*options, "ndots:0")
    lines = [f"nameserver {server}" for server in servers]
    if search and search != (".",):
        lines.append("search " + " ".join(search))
    if options:
        lines.append("options " + " ".join(options))
    return "".join(f"{line}\n" for line in lines)


def name_internally(path: str, servers: Sequence[str]) -> None:
    """Put the networks' own server into a resolv.conf that still names *servers*."""
    from sandbox.models.endpoints import NetworkConfig

    with suppress(FileNotFoundError):
        content = read_hosts(path)
        text = (content or b"").decode("utf-8", "surrogateescape")
        if content is not None and name_servers(text)[: len(servers)] == tuple(servers):
            changed = resolv_conf(text, NetworkConfig(), named=True)
            _replace(path, changed.encode("utf-8", "surrogateescape"))


def name_servers(text: str) -> tuple[str, ...]:
    r"""Return the addresses of the name servers that resolv.conf names.

    >>> name_servers("nameserver 127.0.0.53\nnameserver fe80::1%eth0\n")
    ('127.0.0.53',)
    """
    rows = [line.split() for line in text.splitlines()]
    named = [row[1] for row in rows if len(row) > 1 and row[0] == "nameserver"]
    return tuple(item for item in named if _is_plain_address(item))


def _is_plain_address(text: str) -> bool:
    if parse_address(text) is not None:
        return True
    return ":" in text and all(char in "0123456789abcdefABCDEF:." for char in text)
