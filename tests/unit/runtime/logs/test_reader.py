# SPDX-License-Identifier: MIT
"""A log is read back, also while it grows."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.runtime.logs.reader import Line, Reader, Span, parse, read
from sandbox.runtime.logs.writer import records, stamp


def row(text: str, second: int = 1) -> bytes:
    return b"".join(records([text.encode()], "stdout", second * 10**9))


@pytest.fixture
def log(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "log"
    path.write_bytes(b"".join(row(f"{number}\n", number) for number in range(1, 6)))
    return path


def texts(log: pathlib.Path, **span: object) -> list[str]:
    return [line.text.strip() for line in read(os.fspath(log), Span(**span))]  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", b"{", b"3", b'{"log": "x"}', b'["log"]'])
def test_what_is_no_record_is_no_line(data: bytes) -> None:
    assert parse(data) is None


def test_bounds_choose_by_time_and_the_tail_after_that(log: pathlib.Path) -> None:
    assert texts(log) == ["1", "2", "3", "4", "5"]
    assert texts(log, since=stamp(3 * 10**9)) == ["3", "4", "5"]
    assert texts(log, until=stamp(3 * 10**9)) == ["1", "2", "3"]
    assert texts(log, until=stamp(3 * 10**9), tail=2) == ["2", "3"]
    assert texts(log, tail=0) == []


def test_rotated_files_come_first_oldest_first(log: pathlib.Path) -> None:
    log.with_name("log.1").write_bytes(row("middle\n"))
    log.with_name("log.2").write_bytes(row("oldest\n"))
    assert texts(log)[:3] == ["oldest", "middle", "1"]


def test_a_log_that_is_not_there_yet_is_empty_and_may_come(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    reader = Reader(os.fspath(path), Span())
    assert list(reader.past()) == []
    path.write_bytes(row("first\n"))
    assert [line.text for line in reader.fresh()] == ["first\n"]
    reader.close()


def test_a_line_that_is_still_being_written_is_waited_for(log: pathlib.Path) -> None:
    reader = Reader(os.fspath(log), Span())
    list(reader.past())
    whole = row("6\n", 6)
    with log.open("ab") as file:
        file.write(whole[:20])
        file.flush()
        assert list(reader.fresh()) == []
        file.write(whole[20:])
        file.flush()
        assert [line.text for line in reader.fresh()] == ["6\n"]
    reader.close()


def test_nothing_is_lost_when_the_log_is_rotated_while_it_is_read(log: pathlib.Path) -> None:
    reader = Reader(os.fspath(log), Span())
    list(reader.past())
    with log.open("ab") as file:
        file.write(row("6\n", 6))
    log.rename(log.with_name("log.1"))
    log.write_bytes(row("7\n", 7))
    assert [line.text for line in reader.fresh()] == ["6\n", "7\n"]
    reader.close()


def test_a_log_that_was_emptied_is_read_from_its_new_beginning(log: pathlib.Path) -> None:
    reader = Reader(os.fspath(log), Span())
    list(reader.past())
    log.write_bytes(row("new\n", 9))
    assert [line.text for line in reader.fresh()] == ["new\n"]
    reader.close()


def test_following_ends_when_the_container_does_with_its_last_words(log: pathlib.Path) -> None:
    alive = iter([True, False, False])

    def lives() -> bool:
        answer = next(alive)
        if not answer and len(log.read_bytes().splitlines()) == 5:
            with log.open("ab") as file:
                file.write(row("last\n", 6))
        return answer

    found: list[Line] = list(read(os.fspath(log), Span(tail=1), alive=lives))
    assert [line.text for line in found] == ["5\n", "last\n"]


def test_following_ends_at_the_bound(log: pathlib.Path) -> None:
    with log.open("ab") as file:
        file.write(row("9\n", 9))
    reader = Reader(os.fspath(log), Span(until=stamp(6 * 10**9)))
    assert len(list(reader.fresh())) == 5
    assert reader.is_over
    reader.close()


def test_a_tail_spans_rotated_files_and_leaves_out_damaged_lines(log: pathlib.Path) -> None:
    log.with_name("log.1").write_bytes(row("middle\n") + b"damaged\n")
    log.with_name("log.2").write_bytes(row("oldest\n"))
    assert texts(log, tail=6) == ["middle", "1", "2", "3", "4", "5"]
    assert texts(log, tail=7) == ["oldest", "middle", "1", "2", "3", "4", "5"]
    assert texts(log, tail=70) == ["oldest", "middle", "1", "2", "3", "4", "5"]


def test_a_clock_that_was_set_back_by_a_minute_hides_no_line(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "log"
    seconds = [*range(100, 5000), *range(4940, 9000)]
    path.write_bytes(b"".join(row(f"{second}\n", second) for second in seconds))
    for bound in (4930, 4940, 4960, 4999, 5000, 5030):
        late = [str(second) for second in seconds if second >= bound]
        early = [str(second) for second in seconds if second <= bound]
        assert texts(path, since=stamp(bound * 10**9)) == late
        assert texts(path, until=stamp(bound * 10**9)) == early
        assert texts(path, since=stamp(bound * 10**9), tail=5000) == late[-5000:]
        assert texts(path, until=stamp(bound * 10**9), tail=50) == early[-50:]


def test_a_bound_that_is_no_time_is_compared_as_text(log: pathlib.Path) -> None:
    assert texts(log, since="1970") == ["1", "2", "3", "4", "5"]
    assert texts(log, until="zzz", tail=1) == ["5"]
    assert texts(log, since="19700101T00") == []


def test_a_tail_is_followed_by_the_lines_behind_it(log: pathlib.Path) -> None:
    for tail in (0, 2):
        reader = Reader(os.fspath(log), Span(tail=tail))
        assert len(list(reader.past())) == tail
        with log.open("ab") as file:
            file.write(row("new\n", 6))
        assert [line.text for line in reader.fresh()] == ["new\n"]
        reader.close()


def test_a_log_that_is_rotated_before_it_is_read_is_read_once(log: pathlib.Path) -> None:
    reader = Reader(os.fspath(log), Span())
    log.rename(log.with_name("log.1"))
    log.write_bytes(row("6\n", 6))
    assert [line.text for line in reader.past()] == ["1\n", "2\n", "3\n", "4\n", "5\n"]
    assert [line.text for line in reader.fresh()] == ["6\n"]
    reader.close()
