# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from dnslib import EDNS0, QTYPE, RCODE, DNSHeader, DNSQuestion, DNSRecord
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.runtime.network.names import messages


def asked(name: str, kind: str = "A", *, room: int = 0, number: int = 7) -> bytes:
    record = DNSRecord(DNSHeader(id=number, rd=1), q=DNSQuestion(name, QTYPE.reverse[kind]))
    if room:
        record.add_ar(EDNS0(udp_len=room))
    return bytes(record.pack())


def question(data: bytes) -> messages.Question:
    found = messages.read(data)
    assert isinstance(found, messages.Question)
    return found


def answered(data: bytes, *addresses: str, name: str = "", stream: bool = False) -> DNSRecord:
    return DNSRecord.parse(messages.answer(question(data), addresses, name, stream=stream))


def test_a_name_is_answered_with_its_addresses() -> None:
    found = answered(asked("Db.Back"), "127.5.0.2", "127.5.0.3")
    assert [(str(row.rname), str(row.rdata), row.ttl) for row in found.rr] == [
        ("Db.Back.", "127.5.0.2", 600),
        ("Db.Back.", "127.5.0.3", 600),
    ]
    header = found.header
    assert (header.id, header.qr, header.rd, header.ra, header.aa, header.rcode) == (
        *(7, 1, 1, 1),
        *(0, 0),
    )
    assert question(asked("Db.Back")).name == "db.back"


def test_a_known_name_without_such_a_record_is_no_error() -> None:
    found = answered(asked("db", "AAAA"))
    assert (found.header.rcode, found.rr) == (RCODE.NOERROR, [])


def test_an_address_is_answered_with_its_name() -> None:
    data = asked("2.0.5.127.in-addr.arpa", "PTR")
    assert question(data).address == "127.5.0.2"
    assert str(answered(data, name="db.back.").rr[0].rdata) == "db.back."
    assert question(asked("5.127.in-addr.arpa", "PTR")).address == ""
    assert question(asked("2.0.5.127.in-addr.arpa", "A")).address == ""


@pytest.mark.parametrize("room", [0, 512, 1232, 4096])
def test_an_answer_that_is_too_long_holds_what_fits_and_says_so(room: int) -> None:
    addresses = [f"127.5.{number // 250}.{number % 250 + 1}" for number in range(300)]
    data = asked("db", room=room)
    packed = messages.answer(question(data), addresses, stream=False)
    found = DNSRecord.parse(packed)
    assert len(packed) <= (room or 512) < len(packed) + 16
    assert found.header.tc == 1
    assert [str(row.rdata) for row in found.rr] == addresses[: len(found.rr)]
    whole = answered(data, *addresses, stream=True)
    assert (whole.header.tc, len(whole.rr)) == (0, 300)


def test_edns_is_answered_with_edns() -> None:
    assert [row.rtype for row in answered(asked("db", room=1232)).ar] == [QTYPE.OPT]
    assert answered(asked("db")).ar == []


def test_without_a_server_the_answer_is_servfail() -> None:
    failed = DNSRecord.parse(messages.failure(question(asked("example.org", number=9))))
    assert (failed.header.id, failed.header.rcode) == (9, RCODE.SERVFAIL)


def test_what_is_no_question_is_not_answered() -> None:
    assert messages.read(b"") == b""
    assert messages.read(b"short") == b""
    assert messages.read(messages.failure(question(asked("db")))) == b""


def code_of(data: bytes) -> int:
    found = messages.read(data)
    assert isinstance(found, bytes)
    header = DNSHeader.parse(messages_buffer(found))
    assert (header.qr, header.id) == (1, int.from_bytes(data[:2], "big"))
    return int(header.rcode)


def messages_buffer(data: bytes) -> object:
    from dnslib.label import DNSBuffer

    return DNSBuffer(data)


def test_a_wrong_question_is_answered_with_an_error() -> None:
    good = asked("db")
    assert code_of(good[:-1]) == RCODE.FORMERR
    assert code_of(good[:4] + b"\0\2" + good[6:]) == RCODE.FORMERR  # two questions
    assert code_of(good[:2] + b"\x28\0" + good[4:]) == RCODE.NOTIMP  # an update
    assert code_of(good[:12] + b"\xc0\x0c" + good[-4:]) == RCODE.FORMERR  # a name in itself
    assert code_of(good + bytes(5000)) == RCODE.FORMERR
    chain = b"".join((0xC000 | 12 + 2 * max(0, n - 1)).to_bytes(2, "big") for n in range(1500))
    assert code_of(good[:12] + chain + good[-4:]) == RCODE.FORMERR


@given(st.binary(max_size=600))
@example(asked("x" * 63) + b"\0")
def test_no_bytes_stop_the_reader(data: bytes) -> None:
    found = messages.read(data)
    if isinstance(found, messages.Question):
        for stream in (False, True):
            assert messages.answer(found, ("127.0.0.2",) * 50, stream=stream)
        assert messages.failure(found)


@given(st.binary(max_size=64), st.integers(0, 63))
def test_no_change_of_a_question_stops_the_reader(noise: bytes, place: int) -> None:
    data = asked("some.name.example", room=1232)
    test_no_bytes_stop_the_reader.hypothesis.inner_test(  # type: ignore[attr-defined]
        data[:place] + noise + data[place + len(noise) :]
    )


def test_answers_of_other_servers_must_fit_the_question() -> None:
    data = asked("Db.example")
    good = messages.answer(question(asked("dB.example")), ("192.0.2.1",), stream=False)
    assert messages.is_answer(good, data)
    assert messages.is_final(good)
    assert not messages.is_answer(messages.numbered(good, 8), data)
    assert not messages.is_answer(data, data)
    assert not messages.is_answer(b"", data)
    other = messages.answer(question(asked("dc.example")), stream=False)
    assert not messages.is_answer(other, data)
    refused = bytes([*good[:3], 0x85, 0, 0, *bytes(6)])
    assert messages.is_answer(refused, data)
    assert not messages.is_final(refused)
    assert messages.number_of(messages.numbered(data, 513)) == 513
