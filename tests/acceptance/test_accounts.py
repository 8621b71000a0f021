# SPDX-License-Identifier: MIT
"""Users, owners, devices and setuid files: in a container, its export, and an image of that."""

from __future__ import annotations

import pathlib
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.timeout(600)]  # the first test makes the image

ACCOUNTS = """
set -e
groupadd -g 4000 team
useradd -m -u 1234 -G team -s /bin/sh alice
echo alice:secret | chpasswd
passwd -S alice | cut -d' ' -f1,2
id alice
su alice -c 'id; echo mine > ~/file; cat /etc/shadow; touch /etc/x' 2>&1 || true
su - alice -c 'pwd; umask 077; touch private'
stat -c '%n %U:%G %a' /home/alice /home/alice/file /home/alice/private
chown -R root:team /home/alice/file
stat -c '%U:%G' /home/alice/file
su alice -c 'echo more >> /home/alice/file' 2> /dev/null || echo refused
usermod -l bob alice && groupmod -n crew team && id bob
userdel -r bob 2> /dev/null
test ! -e /home/alice && grep -c bob /etc/passwd /etc/shadow /etc/group || true
"""
ACCOUNTS_OUTPUT = """\
alice P
uid=1234(alice) gid=1234(alice) groups=1234(alice),4000(team)
uid=1234(alice) gid=1234(alice) groups=1234(alice),4000(team)
cat: /etc/shadow: Permission denied
touch: cannot touch '/etc/x': Permission denied
/home/alice
/home/alice alice:alice 755
/home/alice/file alice:alice 644
/home/alice/private alice:alice 600
root:team
refused
uid=1234(bob) gid=1234(alice) groups=1234(alice),4000(crew)
/etc/passwd:0
/etc/shadow:0
/etc/group:0
"""

# name: (type, mode, owner, device) of members that only root can create
SPECIAL = {
    "null": (tarfile.CHRTYPE, 0o666, (0, 0), (1, 3)),
    "disk": (tarfile.BLKTYPE, 0o660, (0, 6), (8, 17)),
    "pipe": (tarfile.FIFOTYPE, 0o640, (1234, 4000), (0, 0)),
    "tool": (tarfile.REGTYPE, 0o4755, (0, 0), (0, 0)),
    "group-tool": (tarfile.REGTYPE, 0o2755, (0, 42), (0, 0)),
    "plain": (tarfile.REGTYPE, 0o600, (70000, 2**31), (0, 0)),
    "sticky": (tarfile.DIRTYPE, 0o1777, (0, 0), (0, 0)),
    "shared": (tarfile.DIRTYPE, 0o2775, (0, 4000), (0, 0)),
}
LOOK = "cd /tree && stat -c '%n|%F|%a|%u:%g|%t:%T' " + " ".join(sorted(SPECIAL))
KINDS = {
    tarfile.CHRTYPE: "character special file",
    tarfile.BLKTYPE: "block special file",
    tarfile.FIFOTYPE: "fifo",
    tarfile.REGTYPE: "regular empty file",
    tarfile.DIRTYPE: "directory",
}


def _expected() -> str:
    rows = []
    for name, (kind, mode, owner, device) in sorted(SPECIAL.items()):
        numbers = f"{device[0]:x}:{device[1]:x}"
        rows.append(f"{name}|{KINDS[kind]}|{mode:o}|{owner[0]}:{owner[1]}|{numbers}\n")
    return "".join(rows)


def _write_tar(path: pathlib.Path) -> None:
    with tarfile.open(path, "w") as tar:
        for name, (kind, mode, owner, device) in SPECIAL.items():
            member = tarfile.TarInfo(f"tree/{name}")
            member.type, member.mode = kind, mode
            member.uid, member.gid = owner
            member.devmajor, member.devminor = device
            tar.addfile(member)


def test_accounts_can_be_added_used_and_removed(debian_image: Sandbox) -> None:
    output = debian_image.ok("run", "--rm", "debian", "sh", "-c", ACCOUNTS)
    assert output == ACCOUNTS_OUTPUT


def test_a_setuid_program_changes_the_user(debian_image: Sandbox) -> None:
    script = """
        cp /usr/bin/id /usr/bin/special-id && chown daemon:staff /usr/bin/special-id
        chmod 6755 /usr/bin/special-id && setpriv --reuid 33 --regid 33 --clear-groups special-id
    """
    output = debian_image.ok("run", "--rm", "debian", "sh", "-ec", script)
    assert output == (
        "uid=33(www-data) gid=33(www-data) euid=1(daemon) egid=50(staff) groups=50(staff)\n"
    )


@pytest.fixture
def extracted(debian_image: Sandbox, tmp_path: pathlib.Path):
    """A container in which `tar -xp` has created files that need root."""
    _write_tar(tmp_path / "special.tar")
    name = f"extracted-{tmp_path.name}".lower()
    script = (
        f"tar -xpf /special.tar -C / && {LOOK}; mknod /tree/made c 5 1; ln /tree/tool /tree/two"
    )
    output = debian_image.ok(
        *("run", "--name", name, "-v", f"{tmp_path}/special.tar:/special.tar"),
        *("debian", "sh", "-c", script),
    )
    assert output == _expected()
    yield name
    debian_image.ok("rm", name)


def test_special_files_read_back_everywhere(
    debian_image: Sandbox, sandbox: Sandbox, extracted: str, tmp_path: pathlib.Path
) -> None:
    exported = tmp_path / "exported.tar"
    debian_image.ok("export", "-o", exported, extracted)
    with tarfile.open(exported) as tar:
        members = {member.name.removeprefix("./"): member for member in tar}
        for name, (kind, mode, owner, device) in SPECIAL.items():
            member = members[f"tree/{name}"]
            if name == "tool" and member.islnk():
                member = members[member.linkname.removeprefix("./")]
            assert (member.type, member.mode, (member.uid, member.gid)) == (kind, mode, owner), name
            if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
                assert (member.devmajor, member.devminor) == device, name
        made = members["tree/made"]
        assert (made.type, made.devmajor, made.devminor) == (tarfile.CHRTYPE, 5, 1)
        tools = [members["tree/tool"], members["tree/two"]]
        assert sum(tool.islnk() for tool in tools) == 1
    sandbox.ok("import", exported, "again")
    assert sandbox.ok("run", "--rm", "again", "sh", "-c", LOOK) == _expected()
    script = "stat -c '%F %t:%T' /tree/made; stat -c %h /tree/tool; test /tree/tool -ef /tree/two"
    script += " && su www-data -s /bin/sh -c 'test ! -r /tree/plain && echo 1 > /tree/null'"
    output = sandbox.ok("run", "--rm", "again", "sh", "-ec", script)
    assert output == "character special file 5:1\n2\n"
