# SPDX-License-Identifier: MIT
"""Owners, modes and devices work for root and for other users as the kernel's do for real root.

The expected output was recorded with real root: see ownership.c and rights.c.
"""

from __future__ import annotations

import pathlib
import stat
from typing import TYPE_CHECKING

import pytest

from tests.harness import images
from tests.harness.cbuild import BUILDS
from tests.harness.oracle import difference

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

RECORDED = pathlib.Path(__file__).parent / "recorded"
GROUPS = (
    "chowns",
    "bits",
    "nodes",
    "inheriting",
    "permissions",
    "sticky",
    "moving",
    "set-ids",
    "effective",
    "attributes",
    "often",
    "chroots",
    "opened",
    "senders",
)


def compare(group: str, output: str, program: str = "ownership") -> None:
    recorded = (RECORDED / f"{program}-{group}.txt").read_text().splitlines()
    found = output.splitlines()
    assert recorded == found, difference(recorded, found)


@pytest.mark.parametrize("group", GROUPS)
def test_root_and_other_users_may_do_what_the_kernel_allows(
    sandbox: Sandbox, guest_program, group: str
) -> None:
    program = guest_program("ownership")
    output = sandbox.ok("run", "--rm", "-w", "/srv/sbx", "host", str(program), group)
    compare(group, output)


@pytest.mark.parametrize("place", ["tmpfs", "volume", "bind"])
@pytest.mark.parametrize("group", GROUPS)
def test_root_and_other_users_may_do_in_mounts_what_the_kernel_allows(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path, group: str, place: str
) -> None:
    program = guest_program("ownership")
    folder = tmp_path / "folder"
    folder.mkdir()
    flags = {
        "tmpfs": ["--tmpfs", "/srv/sbx:mode=755"],
        "volume": ["-v", f"{group}:/srv/sbx"],
        "bind": ["-v", f"{folder}:/srv/sbx"],
    }
    output = sandbox.ok("run", "--rm", "-w", "/srv/sbx", *flags[place], "host", str(program), group)
    compare(group, output)


@pytest.mark.parametrize("group", ["dumpables", "shared", "roots", "lists", "many", "writes"])
def test_set_id_programs_and_changes_of_ids_bring_what_they_do_in_the_kernel(
    sandbox: Sandbox, guest_program, group: str
) -> None:
    program = guest_program("rights", *BUILDS["static"])
    output = sandbox.ok("run", "--rm", "-w", "/srv/sbx", "host", str(program), group)
    compare(group, output, "rights")


def test_permissions_of_an_images_files_are_kept(
    sandbox: Sandbox, guest_program, tmp_path: pathlib.Path
) -> None:
    program = guest_program("ownership")
    listed = sandbox.ok("run", "--rm", "host", str(program), "list")
    members = [
        images.file("ownership", program.read_bytes(), mode=0o755),
        images.directory("srv/sbx"),
    ]
    for line in listed.splitlines():
        kind, uid, gid, mode, name = line.split(" ", 4)
        owner = {"uid": int(uid), "gid": int(gid), "mode": int(mode, 8)}
        make = images.directory if kind == "d" else images.file
        members.append(make(f"srv/sbx/{name}", **owner))
    archive = tmp_path / "tree.tar"
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "tree")
    output = sandbox.ok(
        "run", "--rm", "-w", "/srv/sbx", "tree", "/ownership", "permissions-observe"
    )
    compare("permissions", output)


def test_permissions_are_checked_for_the_user_of_run(sandbox: Sandbox) -> None:
    prepare = (
        "chmod 1777 .; echo x > secret; chmod 600 secret;"
        " echo y > shared; chgrp 50 shared; chmod 640 shared"
    )
    check = "id -u; id -g; id -G; cat secret 2>&1; cat shared; rm -f secret 2>&1; ls -lnd ."
    command = f"{prepare}; exec setpriv --reuid 1000 --regid 50 --clear-groups sh -c '{check}'"
    output = sandbox.ok("run", "--rm", "-w", "/srv/sbx", "host", "sh", "-c", command)
    lines = output.splitlines()
    assert lines[:3] == ["1000", "50", "50"]
    assert "Permission denied" in lines[3]
    assert lines[4] == "y"
    assert "Operation not permitted" in lines[5]
    probe = "id -u; id -g; id -G; cat /etc/shadow 2>&1; touch /etc/sbx 2>&1; ls -ln $(mktemp)"
    output = sandbox.ok("run", "--rm", "-u", "1000:50", "host", "sh", "-c", probe)
    lines = output.splitlines()
    assert lines[:3] == ["1000", "50", "50"]
    assert "Permission denied" in lines[3]
    assert "Permission denied" in lines[4]
    assert lines[5].split()[2:4] == ["1000", "50"]


OVERRIDES = """
cd /mnt
echo b >>ro && cat ro && rm shut/f && mkdir shut/d shut/d/e && mv shut/d dark/ && mv dark/d/e shut/
cat dark/f && ls dark && ln ro dark/ro && ls -ld dark/d && cd dark && ls -ld ro && cd ..
mknod null c 1 3 && echo x >null && ls -l null | cut -c1,11- | cut -d' ' -f5,6
stat -c '%a %n' ro shut dark
chmod 700 dark && stat -c '%a %n' dark; cat /fixed/none
"""


def test_root_overrides_the_modes_of_files_that_the_user_bound(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "bind"
    for name, mode in (("shut", 0o555), ("dark", 0)):
        (folder / name).mkdir(parents=True)
        (folder / name / "f").write_text(f"{name}\n")
        (folder / name).chmod(mode)
    (folder / "ro").write_text("a\n")
    (folder / "ro").chmod(0o444)
    fixed = tmp_path / "fixed"
    fixed.mkdir()
    (fixed / "none").write_text("x")
    (fixed / "none").chmod(0)
    words = ["-v", f"{folder}:/mnt", "-v", f"{fixed}:/fixed:ro", "host", "sh", "-c", OVERRIDES]
    done = sandbox.call("run", "--rm", *words)
    lines = done.stdout.decode().splitlines()
    assert lines[:5] == ["a", "b", "dark", "d", "f"], (lines, done.stderr)
    assert [line[:10] for line in lines[5:7]] == ["drwxr-xr-x", "-r--r--r--"]
    assert lines[7:] == ["1, 3", "444 ro", "555 shut", "0 dark", "700 dark"], lines
    assert b"/fixed/none: Permission denied" in done.stderr, "a read-only mount stays as it is"
    assert (folder / "ro").read_text() == "a\nb\n"
    assert stat.S_IMODE((folder / "ro").stat().st_mode) == 0o444
    assert stat.S_IMODE((fixed / "none").stat().st_mode) == 0


BY_DESCRIPTOR = """
import os
fd = os.open('/fixed/file', os.O_RDONLY)
for change in (
    lambda: os.fchmod(fd, 0o777),
    lambda: os.fchown(fd, 5, 5),
    lambda: os.utime(fd),
    lambda: os.setxattr(fd, 'user.a', b'1'),
    lambda: os.removexattr(fd, 'user.a'),
):
    try:
        change()
        print('changed')
    except OSError as error:
        print(os.strerror(error.errno))
"""


def test_a_file_of_a_read_only_mount_is_not_changed_by_its_descriptor(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    before = file.stat()
    words = ["-v", f"{tmp_path}:/fixed:ro", "host", "python3", "-c", BY_DESCRIPTOR]
    output = sandbox.ok("run", "--rm", *words)
    assert output.splitlines() == 5 * ["Read-only file system"]
    after = file.stat()
    assert (after.st_mode, after.st_ctime_ns) == (before.st_mode, before.st_ctime_ns)


TEMPORARY = """
import os
for folder in ('/dev/shm', '/var/tmp', '/mnt'):
    fd = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    print(folder, os.fstat(fd).st_uid, os.fstat(fd).st_gid)
"""


def test_an_unnamed_file_in_a_mount_belongs_to_its_creator(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "bind"
    folder.mkdir()
    folder.chmod(0o777)
    words = ["-u", "1234:77", "-v", f"{folder}:/mnt", "host", "python3", "-c", TEMPORARY]
    output = sandbox.ok("run", "--rm", *words)
    assert output.splitlines() == ["/dev/shm 1234 77", "/var/tmp 1234 77", "/mnt 1234 77"]
