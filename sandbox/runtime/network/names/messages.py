# SPDX-License-Identifier: MIT
"""Questions and answers of DNS on the wire. Pure.

Rules: a question is a stranger's input. Whatever cannot be read is answered with an error code, or
not at all if it is no question. An answer over UDP that is too long says so, and holds as many
addresses as fit: not every resolver asks again over TCP.

Must not know: which names exist.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from dnslib import EDNS0, PTR, QTYPE, RCODE, RR, A, DNSRecord

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

TTL = 600  # Docker's
LARGEST = 4096
_LEAST = 512
_ROW = 16  # an address with a compressed name
_HEADER = struct.Struct("!6H")
_RESPONSE, _OPCODE, _RECURSION, _AVAILABLE = 0x8000, 0x7800, 0x0100, 0x0080
_REVERSE = ".in-addr.arpa"


class Question(Record, frozen=True):
    """One question. *name* is in lower case, without the last dot; *room* is for UDP."""

    name: str
    kind: str
    room: int
    raw: bytes
    record: DNSRecord

    @property
    def address(self) -> str:
        """Return the IPv4 address whose name is asked for, or ""."""
        labels = self.name.removesuffix(_REVERSE).split(".")
        asked = self.kind == "PTR" and self.name.endswith(_REVERSE) and len(labels) == 4
        return ".".join(reversed(labels)) if asked else ""


def read(data: bytes) -> Question | bytes:
    """Return the question in a message, or the answer to one that cannot be read (may be empty)."""
    if len(data) < _HEADER.size:
        return b""
    number, flags, questions, *others = _HEADER.unpack_from(data)
    if flags & _RESPONSE:
        return b""
    if flags & _OPCODE:
        return _error(number, flags, RCODE.NOTIMP)
    if questions != 1 or others[0] or others[1] or others[2] > 2 or len(data) > LARGEST:
        return _error(number, flags, RCODE.FORMERR)
    try:
        record = DNSRecord.parse(data)
        name = b".".join(record.q.qname.label).decode("ascii").lower()
        kind = str(QTYPE.forward.get(record.q.qtype, record.q.qtype))
    except Exception:  # noqa: BLE001 - the library raises whatever a wrong byte leads to
        return _error(number, flags, RCODE.FORMERR)
    room = next((item.rclass for item in record.ar if item.rtype == QTYPE.OPT), _LEAST)
    return Question(name, kind, max(room, _LEAST), data, record)


def _error(number: int, flags: int, code: int) -> bytes:
    kept = flags & (_OPCODE | _RECURSION)
    return _HEADER.pack(number, _RESPONSE | kept | _AVAILABLE | code, 0, 0, 0, 0)


def answer(
    question: Question, addresses: Sequence[str] = (), name: str = "", *, stream: bool
) -> bytes:
    """Return the answer with these addresses or this name; without any it says there are none."""
    label = question.record.q.qname
    rows = [RR(label, QTYPE.A, ttl=TTL, rdata=A(address)) for address in addresses]
    if name:
        rows.append(RR(label, QTYPE.PTR, ttl=TTL, rdata=PTR(name)))
    whole = _reply(question)
    for row in rows:
        whole.add_answer(row)
    packed: bytes = whole.pack()
    room = 0xFFFF if stream else question.room
    if len(packed) <= room:
        return packed
    short = _reply(question)
    short.header.tc = 1
    fitting = max(0, room - len(short.pack())) // _ROW
    for row in rows[:fitting]:
        short.add_answer(row)
    cut: bytes = short.pack()
    return cut


def failure(question: Question) -> bytes:
    """Return the answer that no server could be asked."""
    reply = _reply(question)
    reply.header.rcode = RCODE.SERVFAIL
    packed: bytes = reply.pack()
    return packed


def _reply(question: Question) -> DNSRecord:
    reply = question.record.reply(ra=1, aa=0)
    reply.header.rcode = reply.header.tc = reply.header.ad = 0
    if any(item.rtype == QTYPE.OPT for item in question.record.ar):
        reply.add_ar(EDNS0(udp_len=LARGEST))
    return reply


def number_of(message: bytes) -> int:
    """Return the number of a message."""
    return int.from_bytes(message[:2], "big")


def numbered(message: bytes, number: int) -> bytes:
    """Return a message with another number."""
    return number.to_bytes(2, "big") + message[2:]


def is_answer(message: bytes, question: bytes) -> bool:
    """Tell whether a message answers *question*, which may differ in its number."""
    end = 12
    while end < len(question) and question[end]:
        end += question[end] + 1
    end += 5
    return (
        len(message) >= _HEADER.size
        and bool(message[2] & 0x80)
        and message[:2] == question[:2]
        and (message[4:6] == b"\0\0" or message[12:end].lower() == question[12:end].lower())
    )


def is_final(message: bytes) -> bool:
    """Tell whether no other server need be asked: the answer is success or an unknown name."""
    return message[3] & 15 in (RCODE.NOERROR, RCODE.NXDOMAIN)
