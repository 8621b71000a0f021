# SPDX-License-Identifier: MIT
"""The user and groups of the main process."""

from __future__ import annotations

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.runtime.process.users import (
    Identity,
    parse_group,
    parse_passwd,
    resolve_identity,
)

PASSWD = parse_passwd(
    "root:x:0:0:root:/root:/bin/sh\n"
    "# a comment\n"
    "broken line\n"
    "www:x:33:33::/var/www:/bin/false\n"
    "homeless:x:40:40\n"
    "1000:x:7:7:a name of digits:/seven:/bin/sh\n"
)
GROUP = parse_group("root:x:0:\nwww:x:33:\nadm:x:4:www,other\nssl:x:90:www\nstaff:x:50:\n")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("", Identity(0, 0, (), "/root")),
        ("www", Identity(33, 33, (4, 90), "/var/www")),
        ("33", Identity(33, 33, (4, 90), "/var/www")),
        ("www:staff", Identity(33, 50, (), "/var/www")),
        ("www:1234", Identity(33, 1234, (), "/var/www")),
        ("5000", Identity(5000, 0, (), "/")),
        ("5000:5001", Identity(5000, 5001, (), "/")),
        (":50", Identity(0, 50, (), "/root")),
        ("homeless", Identity(40, 40, (), "/")),
        ("1000", Identity(7, 7, (), "/seven")),
    ],
)
def test_a_user_spec_resolves_as_in_docker(spec: str, expected: Identity) -> None:
    assert resolve_identity(spec, PASSWD, GROUP) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nobody", "unable to find user nobody: no matching entries in passwd file"),
        ("www:nope", "unable to find group nope: no matching entries in group file"),
        ("4294967296", "uids and gids must be in range"),
        ("-1", "uids and gids must be in range"),
    ],
)
def test_an_unknown_user_is_refused(spec: str, message: str) -> None:
    with pytest.raises(RuntimeFailed, match=message):
        resolve_identity(spec, PASSWD, GROUP)


def test_without_a_user_database_root_and_numbers_still_work() -> None:
    assert resolve_identity("", (), ()) == Identity(0, 0, (), "/")
    assert resolve_identity("12:13", (), ()) == Identity(12, 13, (), "/")
