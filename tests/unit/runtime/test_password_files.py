# SPDX-License-Identifier: MIT
"""Stand-ins for password files that the user may not read."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.runtime import password_files
from sandbox.runtime.password_files import lock_accounts, lock_groups

PASSWD = b"""root:x:0:0:root:/root:/bin/sh
# a comment
me:x:1000:1000:,,,:/home/me:/bin/sh
broken:line
+@netgroup::::::
-other::::::
"""


def test_every_account_is_there_and_locked() -> None:
    assert lock_accounts(PASSWD, 20000) == (b"root:*:20000:0:99999:7:::\nme:*:20000:0:99999:7:::\n")


def test_groups_keep_their_members_and_get_no_password() -> None:
    assert lock_groups(b"adm:x:4:me,you\nempty:x:5:\n+:::\n", 1) == (b"adm:*::me,you\nempty:*::\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_only_what_may_not_be_read_has_a_stand_in(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwd, secret, plain = (tmp_path / name for name in ("passwd", "shadow", "gshadow"))
    passwd.write_bytes(PASSWD)
    for path in (secret, plain):
        path.write_bytes(b"secret")
    secret.chmod(0)
    monkeypatch.setattr(
        password_files,
        "_FILES",
        tuple(
            (os.fspath(path), os.fspath(passwd), lock_accounts)
            for path in (secret, plain, tmp_path / "absent")
        ),
    )
    folder = tmp_path / "stand-ins"
    password_files.write(os.fspath(folder))
    made = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in made] == ["shadow"]
    assert made[0].read_bytes().startswith(b"root:*:")
