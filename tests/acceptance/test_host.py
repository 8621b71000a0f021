# SPDX-License-Identifier: MIT
"""`run host` changes the host's tree as root would, and the host stays unchanged."""

from __future__ import annotations

import os
import pathlib
import subprocess
from itertools import chain
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

CONTROL = """\
Package: sandbox-sample
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@example.org>
Description: a package that is in no archive
"""
POSTINST = """\
#!/bin/sh
set -e
update-alternatives --install /usr/bin/sample sample /usr/bin/sandbox-sample 10
useradd --system sandbox-sample
chown sandbox-sample: /etc/sandbox-sample.conf
"""


ACCOUNTS = ("passwd", "group", "shadow", "gshadow", "subuid", "subgid")


def _facts(*paths: str) -> list[object]:
    """Return the metadata and content of each path, or that it is missing."""
    return [_looks(pathlib.Path(path)) for path in paths]


def _looks(path: pathlib.Path) -> object:
    if not os.path.lexists(path):
        return None
    looks = os.lstat(path)
    is_readable = path.is_file() and os.access(path, os.R_OK)
    content = path.read_bytes() if is_readable else b""
    return looks.st_mode, looks.st_uid, looks.st_gid, looks.st_ctime_ns, content


@pytest.fixture
def local_package(tmp_path: pathlib.Path) -> pathlib.Path:
    """A Debian package with a program, a configuration file and a maintainer script."""
    tree = tmp_path / "package"
    for folder in ("DEBIAN", "etc", "usr/bin"):
        (tree / folder).mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(CONTROL)
    (tree / "DEBIAN/conffiles").write_text("/etc/sandbox-sample.conf\n")
    (tree / "DEBIAN/postinst").write_text(POSTINST)
    (tree / "etc/sandbox-sample.conf").write_text("key = value\n")
    (tree / "usr/bin/sandbox-sample").write_text("#!/bin/sh\necho sample\n")
    for program in ("DEBIAN/postinst", "usr/bin/sandbox-sample"):
        (tree / program).chmod(0o755)
    package = tmp_path / "sandbox-sample_1.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, package],
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=100,
    )
    return package


def test_changes_to_etc_stay_in_the_container(sandbox: Sandbox) -> None:
    names = ("sbx", "passwd", "sbx-dir", "apt", "debian_version", "sbx-moved", "issue")
    paths = [f"/etc/{name}" for name in names]
    before = _facts(*paths)
    script = """
        echo new > /etc/sbx && echo line >> /etc/passwd && mkdir /etc/sbx-dir && chmod 700 /etc/apt
        mv /etc/debian_version /etc/sbx-moved && rm /etc/issue && test ! -e /etc/debian_version
        cat /etc/sbx; tail -n 1 /etc/passwd; stat -c '%a %U' /etc/apt
    """
    output = sandbox.host("sh", "-ec", script)
    assert output.splitlines()[-3:] == ["new", "line", "700 root"]
    assert _facts(*paths) == before


def test_deleting_the_documentation_leaves_the_host_s_files(sandbox: Sandbox) -> None:
    before = set(os.listdir("/usr/share/doc"))
    script = "rm -rf /usr/share/doc && test ! -e /usr/share/doc && mkdir /usr/share/doc"
    script += " && ls -A /usr/share/doc"
    assert sandbox.host("sh", "-ec", script) == ""
    assert before <= set(os.listdir("/usr/share/doc"))


@pytest.mark.slow
def test_apt_installs_a_local_package(sandbox: Sandbox, local_package: pathlib.Path) -> None:
    places = ("/etc", "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/usr/bin", "/var/log/apt")
    script = """
        apt-get install -y /packages/sandbox-sample.deb
        dpkg-query -W -f '${Package} ${db:Status-Status}\\n' sandbox-sample
        stat -c %U /etc/sandbox-sample.conf
        sample
    """
    volume = f"{local_package}:/packages/sandbox-sample.deb:ro"
    output = sandbox.ok("run", "--rm", "-v", volume, "host", "sh", "-ec", script)
    assert output.splitlines()[-3:] == ["sandbox-sample installed", "sandbox-sample", "sample"]
    names = (name for place in places for _, *found in os.walk(place) for name in chain(*found))
    assert not [name for name in names if "sandbox-sample" in name]
    for name in ("/etc/passwd", "/var/lib/dpkg/status"):
        assert b"sandbox-sample" not in pathlib.Path(name).read_bytes()


def test_a_directory_the_user_may_not_read_is_empty_and_writable(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "there").write_text("unseen")
    secret.chmod(0)
    try:
        script = """
            cd "$0"; ls -A; test ! -e there; echo mine > mine; mkdir -p a/b; ls -A "$0"; cat mine
            stat -c '%a %U' .; cd /; rm -r "$0"; test ! -e "$0"
        """
        output = sandbox.host("sh", "-ec", script, str(secret))
        assert output.split("\n") == ["a", "mine", "mine", "0 root", ""]
    finally:
        secret.chmod(0o700)
    assert [path.name for path in secret.iterdir()] == ["there"]
    assert (secret / "there").read_text() == "unseen"


def test_a_file_the_user_may_not_read_is_refused_and_can_be_replaced(
    sandbox: Sandbox, tmp_path: pathlib.Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("unseen")
    secret.chmod(0)
    script = """
        if cat "$0" 2>&1; then exit 9; fi
        echo mine > "$0"; cat "$0"; rm "$0"; test ! -e "$0"
    """
    output = sandbox.host("sh", "-ec", script, str(secret))
    assert output == f"cat: {secret}: Permission denied\nmine\n"
    secret.chmod(0o600)
    assert secret.read_text() == "unseen"


@pytest.mark.skipif(os.access("/etc/shadow", os.R_OK), reason="may read the password file")
def test_accounts_can_be_added_without_reading_the_host_s_shadow_file(sandbox: Sandbox) -> None:
    paths = [f"/etc/{name}" for name in ACCOUNTS]
    before = _facts(*paths)
    script = """
        test -r /etc/shadow && grep -c '^root:[*]:' /etc/shadow
        useradd -m -u 54321 sbx && id sbx && su sbx -c 'cat /etc/shadow' 2>&1 || true
        groupadd -g 54322 sbx2 && usermod -aG sbx2 sbx && id -nG sbx
        stat -c '%U:%G %a' /etc/shadow /etc/gshadow
    """
    assert sandbox.host("sh", "-ec", script).splitlines() == [
        "1",
        "uid=54321(sbx) gid=54321(sbx) groups=54321(sbx)",
        "cat: /etc/shadow: Permission denied",
        "sbx sbx2",
        "root:shadow 640",
        "root:shadow 640",
    ]
    assert _facts(*paths) == before


def test_the_store_is_hidden_from_containers_of_the_host(sandbox: Sandbox) -> None:
    script = 'ls -A "$0"; find /usr/share/perl5 "$(dirname "$0")" > /dev/null && echo ok'
    assert sandbox.host("sh", "-ec", script, str(sandbox.store)) == "ok\n"


def test_programs_can_write_to_the_home_directory(sandbox: Sandbox) -> None:
    script = "cd && pwd && echo text > .sbx && cat ~/.sbx && ls -A | grep -cx .sbx"
    assert sandbox.host("sh", "-ec", script) == "/root\ntext\n1\n"
