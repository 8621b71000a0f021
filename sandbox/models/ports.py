# SPDX-License-Identifier: MIT
"""Published and exposed ports: ``-p``, ``-P``, ``--expose``. Pure.

::

    -p [[IP:][HOST[-HOST]]:]PORT[-PORT][/tcp|/udp]
    -p target=PORT,published=HOST,protocol=tcp|udp

Must not know: which ports of the host are free.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unsupported, UsageError
from sandbox.models.addresses import parse_address
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable

# Docker publishes to all IPv4 and IPv6 addresses by default.
ANY_ADDRESS = "0.0.0.0"  # noqa: S104
ANY_ADDRESS_6 = "::"


class Port(Record, frozen=True, order=True):
    """A port of a container."""

    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        """Return for example "80/tcp"."""
        return f"{self.number}/{self.protocol}"


class Publication(Record, frozen=True):
    """A request to publish a port on the host, on one of *first* to *last*; 0 means any."""

    port: Port
    host_ip: str = ""
    first: int = 0
    last: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON."""
        return {
            "port": str(self.port),
            "hostIp": self.host_ip,
            "first": self.first,
            "last": self.last,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Publication:
        """Return the record in JSON."""
        port = parse_exposed(data["port"])[0]
        return cls(port, data["hostIp"], data["first"], data["last"])


class Published(Record, frozen=True):
    """A port of a running container, and its address and port on the host."""

    port: Port
    host_ip: str
    host_port: int

    @property
    def place(self) -> str:
        """Return its address and port on the host, as shown to users.

        >>> Published(Port(80), "::1", 8081).place
        '[::1]:8081'
        """
        return f"{_bracketed(self.host_ip)}:{self.host_port}"

    def __str__(self) -> str:
        """Return the text in the PORTS column of `ps`."""
        return f"{self.place}->{self.port}"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def native_of(published: Iterable[Published]) -> dict[Port, Published]:
    """Return the address that the container's own socket is bound to: one IPv4 address a port.

    A socket has one address. Connections to the other addresses of a port are relayed to it.
    """
    found: dict[Port, Published] = {}
    for row in published:
        if ":" not in row.host_ip:
            found.setdefault(row.port, row)
    return found


def _range(text: str, what: str) -> tuple[int, int]:
    match = re.fullmatch(r"([0-9]+)(?:-([0-9]+))?", text)
    if match is None:
        raise UsageError(f"invalid {what}: {text}")
    first = int(match[1])
    last = int(match[2] or first)
    if not 0 < first <= last <= 65535:
        raise UsageError(f"invalid {what}: {text}")
    return first, last


def _protocol(text: str) -> str:
    protocol = text.lower() or "tcp"
    if protocol == "sctp":
        raise Unsupported("ports of the protocol sctp are not supported")
    if protocol not in ("tcp", "udp"):
        raise UsageError(f"invalid proto: {text}")
    return protocol


def parse_exposed(text: str) -> tuple[Port, ...]:
    """Return the ports in ``--expose`` or EXPOSE: PORT[-PORT][/PROTOCOL]. Raises UsageError.

    >>> [str(port) for port in parse_exposed("80-81/udp")]
    ['80/udp', '81/udp']
    """
    numbers, _, protocol = text.partition("/")
    if not numbers:
        raise UsageError(f"invalid range format for --expose: {text}, error: empty string")
    first, last = _range(numbers, "range format for --expose")
    name = _protocol(protocol)
    return tuple(Port(number, name) for number in range(first, last + 1))


def parse_publication(text: str) -> tuple[Publication, ...]:
    """Return the requests in a value of ``-p``, one for each port of the container.

    >>> [item.first for item in parse_publication("8000-8001:80-81")]
    [8000, 8001]
    >>> parse_publication("127.0.0.1:53:53/udp")[0].host_ip
    '127.0.0.1'
    """
    if "=" in text:
        return _long_form(text)
    rest, _, protocol_text = text.partition("/")
    protocol = _protocol(protocol_text)
    left, colon, container = rest.rpartition(":")
    host_ip, host = _host_part(left) if colon else ("", "")
    if not container:
        raise UsageError(f"no port specified: {text}<empty>")
    first, last = _range(container, "containerPort")
    if not host:
        return tuple(Publication(Port(n, protocol), host_ip) for n in range(first, last + 1))
    low, high = _range(host, "hostPort")
    if first == last:
        return (Publication(Port(first, protocol), host_ip, low, high),)
    if high - low != last - first:
        raise UsageError(
            f"invalid ranges specified for container and host Ports: {container} and {host}"
        )
    return tuple(
        Publication(Port(number, protocol), host_ip, low + index, low + index)
        for index, number in enumerate(range(first, last + 1))
    )


def _host_part(text: str) -> tuple[str, str]:
    """Return the address and port in the text before the container's port."""
    address, colon, port = text.rpartition(":")
    if not colon:
        return "", text
    return check_host_ip(address), port


def check_host_ip(text: str) -> str:
    """Return an address of the host to publish on, in its usual form. Raises UsageError.

    >>> check_host_ip("[0:0:0:0:0:0:0:1]"), check_host_ip("[::ffff:127.0.0.1]")
    ('::1', '127.0.0.1')
    """
    if ":" not in text:
        if text and parse_address(text) is None:
            raise UsageError(f"invalid IP address: {text}")
        return text
    import ipaddress  # imported late: rarely needed

    bare = text[1:-1] if text[0] == "[" and text[-1] == "]" else text
    try:
        address = ipaddress.IPv6Address(bare)
    except ValueError:
        raise UsageError(f"invalid IP address: {text}") from None
    if address.scope_id:
        raise Unsupported(f"ports cannot be published on an address with a zone: {text}")
    return str(address.ipv4_mapped or address)


def _long_form(text: str) -> tuple[Publication, ...]:
    fields = {"protocol": "tcp", "published": "", "mode": "host"}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        if not equals or not value:
            raise UsageError(f"invalid field: {item}")
        if key not in ("target", "published", "protocol", "mode"):
            raise UsageError(f"invalid field key: {key}")
        fields[key] = value
    if "target" not in fields:
        raise UsageError("missing mandatory field 'target'")
    if fields["mode"] not in ("host", "ingress"):
        raise UsageError(f"invalid publish mode value: {fields['mode']}")
    return parse_publication(f"{fields['published']}:{fields['target']}/{fields['protocol']}")


def merge_publications(wishes: Iterable[Publication]) -> tuple[Publication, ...]:
    """Return the requests without duplicates."""
    return tuple(dict.fromkeys(wishes))


def show_ports(published: Iterable[Published], exposed: Iterable[Port]) -> str:
    """Return the PORTS column of ``ps``; consecutive ports are shown as a range.

    >>> show_ports([Published(Port(80), "0.0.0.0", 8081)], [Port(80), Port(443)])
    '443/tcp, 0.0.0.0:8081->80/tcp'
    """
    items = sorted(published, key=_order)
    shown = {item.port for item in items}
    rows: list[tuple[str, str, int, int, int]] = [
        ("", port.protocol, port.number, port.number, 0)
        for port in sorted(exposed, key=lambda port: (port.protocol, port.number))
        if port not in shown
    ]
    rows += [
        (item.host_ip, item.port.protocol, item.port.number, item.port.number, item.host_port)
        for item in items
    ]
    merged: list[tuple[str, str, int, int, int]] = []
    for row in rows:
        if merged and _continues(merged[-1], row):
            merged[-1] = (*merged[-1][:3], row[3], merged[-1][4])
        else:
            merged.append(row)
    return ", ".join(_shown(row) for row in merged)


def _order(row: Published) -> tuple[str, bool, str, int, int]:
    """Return a sort key that puts ports of one range next to each other."""
    return (row.port.protocol, ":" in row.host_ip, row.host_ip, row.port.number, row.host_port)


def _continues(before: tuple[str, str, int, int, int], row: tuple[str, str, int, int, int]) -> bool:
    """Return whether *row* is the port after the range *before*."""
    if before[:2] != row[:2] or row[2] != before[3] + 1 or bool(row[4]) != bool(before[4]):
        return False
    return not row[4] or row[4] == before[4] + row[2] - before[2]


def _shown(row: tuple[str, str, int, int, int]) -> str:
    host_ip, protocol, first, last, host = row
    numbers = str(first) if first == last else f"{first}-{last}"
    if not host:
        return f"{numbers}/{protocol}"
    there = str(host) if first == last else f"{host}-{host + last - first}"
    return f"{_bracketed(host_ip)}:{there}->{numbers}/{protocol}"
