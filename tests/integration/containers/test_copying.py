# SPDX-License-Identifier: MIT
"""`cp`, `export` and `diff` on real containers."""

from __future__ import annotations

import io
import os
import pathlib
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

SETUP = """
mkdir -p /sbx/tree/sub && cd /sbx/tree
echo content > file && chown 33:44 file && chmod 4750 file
ln file second && ln -s file link && mkfifo pipe && mknod null c 1 3
touch -d @1000000000 sub
"""


@pytest.fixture
def container(sandbox: Sandbox) -> str:
    sandbox.ok("run", "--name", "c1", "host", "sh", "-ec", SETUP)
    return "c1"


def test_files_are_copied_out_with_modes_links_and_times(
    sandbox: Sandbox, container: str, tmp_path: pathlib.Path
) -> None:
    sandbox.ok("cp", f"{container}:/sbx/tree/sub", tmp_path)
    assert (tmp_path / "sub").stat().st_mtime == 1_000_000_000
    sandbox.ok("cp", f"{container}:/sbx/tree/file", tmp_path / "renamed")
    assert (tmp_path / "renamed").read_text() == "content\n"
    assert (tmp_path / "renamed").stat().st_uid == os.getuid()
    sandbox.ok("cp", "-L", f"{container}:/sbx/tree/link", tmp_path / "followed")
    assert not (tmp_path / "followed").is_symlink()


def test_a_copied_tar_has_the_containers_owners_modes_and_devices(
    sandbox: Sandbox, container: str
) -> None:
    data = sandbox.call("cp", f"{container}:/sbx/tree", "-").stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {member.name: member for member in archive}
    file = members["tree/file"]
    assert (file.uid, file.gid, file.mode) == (33, 44, 0o4750)
    assert members["tree/second"].linkname == "tree/file"
    null = members["tree/null"]
    assert (null.type, null.devmajor, null.devminor) == (tarfile.CHRTYPE, 1, 3)


def test_files_that_are_copied_in_belong_to_root(
    sandbox: Sandbox, container: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/x").write_text("from the host")
    (tmp_path / "in/x").chmod(0o640)
    sandbox.ok("cp", tmp_path / "in", f"{container}:/sbx/")
    data = sandbox.call("cp", f"{container}:/sbx/in", "-").stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.getmember("in/x")
        assert (member.uid, member.gid, member.mode) == (0, 0, 0o640)
    assert "A /sbx/in/x" in sandbox.ok("diff", container).splitlines()


def test_a_copy_to_a_link_goes_to_its_target(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    script = "mkdir -p /sbx/d; cd /sbx/d; echo old > file; ln -s file link; ln -s new dangling"
    sandbox.ok("run", "--name", "c1", "host", "sh", "-ec", f"{script} && ln -s /sbx/top folder")
    out = tmp_path / "out"
    out.mkdir()
    for name, leads_to in (("link", "file"), ("dangling", "new"), ("folder", "top")):
        (out / name).symlink_to(leads_to)
    (out / "file").write_text("mine\n")
    sandbox.ok("cp", "c1:/sbx/d/file", out / "link")
    sandbox.ok("cp", "c1:/sbx/d/file", out / "dangling")
    sandbox.ok("cp", "c1:/sbx/d", out / "folder")
    assert [(out / name).is_symlink() for name in ("link", "dangling", "folder")] == [True] * 3
    assert (out / "file").read_text() == (out / "new").read_text() == "old\n"
    assert (out / "top" / "file").read_text() == "old\n"
    source = tmp_path / "source"
    source.write_text("fresh\n")
    sandbox.ok("cp", source, "c1:/sbx/d/link")
    sandbox.ok("cp", source, "c1:/sbx/d/dangling")
    sandbox.ok("cp", out / "top", "c1:/sbx/d/folder")
    sandbox.ok("cp", "c1:/sbx", tmp_path / "all")
    inside = tmp_path / "all" / "d"
    assert (inside / "link").is_symlink()
    assert (inside / "file").read_text() == (inside / "new").read_text() == "fresh\n"
    assert (tmp_path / "all" / "top" / "file").read_text() == "old\n"


def test_the_contents_of_a_linked_directory_are_copied_out(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    script = "mkdir -p /sbx/d; echo text >/sbx/d/file; ln -s d /sbx/link"
    sandbox.ok("run", "--name", "c1", "host", "sh", "-ec", script)
    sandbox.ok("cp", "c1:/sbx/link/.", tmp_path / "out")
    assert (tmp_path / "out" / "file").read_text() == "text\n"


def test_a_created_container_has_its_mount_points_and_its_working_directory(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").write_text("text\n")
    mounts = ("-v", "builds:/builds/a/b", "-w", "/work/deep")
    sandbox.ok("create", "--name", "c1", *mounts, "host", "cat", "file", "/builds/a/b/file")
    sandbox.ok("cp", f"{tmp_path}/d/.", "c1:/builds/a/b")
    sandbox.ok("cp", f"{tmp_path}/d/.", "c1:/work/deep")
    assert sandbox.ok("start", "-a", "c1") == "text\ntext\n"


def test_a_file_with_a_trailing_slash_is_refused(
    sandbox: Sandbox, container: str, tmp_path: pathlib.Path
) -> None:
    for path in ("/sbx/tree/file/", "/sbx/tree/file/."):
        done = sandbox.call("cp", f"{container}:{path}", tmp_path)
        assert done.returncode == 1
        assert b"not a directory" in done.stderr
    assert list(tmp_path.glob("file")) == []


def test_a_running_container_sees_files_that_are_copied_in(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "x").write_text("news\n")
    script = "until test -s /sbx; do sleep 0.05; done; cat /sbx"
    with subprocess.Popen(
        sandbox.argv("run", "--rm", "--name", "r1", "host", "sh", "-c", f"echo up; {script}"),
        env=sandbox.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        sandbox.ok("cp", tmp_path / "x", "r1:/sbx")
        assert process.communicate(timeout=100)[0] == b"news\n"


def test_diff_lists_added_changed_and_deleted_files(sandbox: Sandbox) -> None:
    script = "rm /etc/issue; echo >> /etc/hosts.allow; chmod 600 /etc/passwd; mkdir /etc/sbx"
    sandbox.ok("run", "--name", "c1", "host", "sh", "-c", script)
    lines = sandbox.ok("diff", "c1").splitlines()
    assert {"C /etc", "D /etc/issue", "C /etc/passwd", "A /etc/sbx"} <= set(lines)


def test_an_exported_tree_has_the_changes_but_not_the_mounts(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    rootfs = tmp_path / "rootfs.tar"
    with tarfile.open(rootfs, "w") as archive:
        for name in ("bin", "etc", "proc", "dev", "tmp"):
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE
            member.mode = 0o755
            archive.addfile(member)
        shell = pathlib.Path("/bin/busybox")
        if not shell.exists():
            pytest.skip("no static busybox")
        archive.add(shell, "bin/sh")
    sandbox.ok("import", rootfs, "tiny")
    sandbox.ok("run", "--name", "c1", "tiny", "sh", "-c", SETUP.replace("touch", ": "))
    output = tmp_path / "out.tar"
    sandbox.ok("export", "-o", output, "c1")
    with tarfile.open(output) as archive:
        members = {member.name.removeprefix("./"): member for member in archive}
    assert (members["sbx/tree/file"].uid, members["sbx/tree/file"].mode) == (33, 0o4750)
    assert members["sbx/tree/null"].ischr()
    assert not [name for name in members if name.startswith(("proc/", "dev/"))]
    sandbox.ok("import", output, "again")
    script = "ls -l /sbx/tree/null /sbx/tree/file"
    shown = sandbox.ok("run", "--rm", "again", "sh", "-c", script)
    assert "-rwsr-x---    2 33       44" in shown
    assert "1,   3" in shown
