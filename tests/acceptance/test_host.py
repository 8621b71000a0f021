# SPDX-License-Identifier: MIT
"""`run host`: change the machine as root would, and the machine does not notice."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
from collections.abc import Iterator
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


def _facts(path: pathlib.Path) -> Iterator[str]:
    """Give what may not change at *path* and below: names, metadata, content."""
    looks = os.lstat(path)
    yield f"{path} {looks.st_mode:o} {looks.st_uid}:{looks.st_gid} {looks.st_ctime_ns}"
    if path.is_symlink():
        yield os.readlink(path)
    elif path.is_file() and looks.st_size < 2**20 and os.access(path, os.R_OK):
        yield hashlib.sha256(path.read_bytes()).hexdigest()
    elif path.is_dir() and os.access(path, os.R_OK | os.X_OK):
        for child in sorted(path.iterdir()):
            yield from _facts(child)


def _hash(*paths: str) -> str:
    facts = (fact for path in paths for fact in _facts(pathlib.Path(path)))
    return hashlib.sha256("\n".join(facts).encode("utf-8", "surrogateescape")).hexdigest()


@pytest.fixture
def local_package(tmp_path: pathlib.Path) -> pathlib.Path:
    """A package with a program, a configuration file and a maintainer script."""
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
        timeout=60,
    )
    return package


def test_writing_to_etc(sandbox: Sandbox) -> None:
    before = _hash("/etc")
    script = """
        echo new > /etc/new && echo line >> /etc/passwd && mkdir /etc/dir && chmod 700 /etc/apt
        mv /etc/debian_version /etc/moved && rm /etc/issue && test ! -e /etc/debian_version
        cat /etc/new; tail -n 1 /etc/passwd; stat -c '%a %U' /etc/apt
    """
    output = sandbox.host("sh", "-ec", script)
    assert output.splitlines()[-3:] == ["new", "line", "700 root"]
    assert _hash("/etc") == before


def test_deleting_the_documentation(sandbox: Sandbox) -> None:
    before = _hash("/usr/share/doc")
    script = "rm -rf /usr/share/doc && test ! -e /usr/share/doc && mkdir /usr/share/doc"
    script += " && ls -A /usr/share/doc"
    assert sandbox.host("sh", "-ec", script) == ""
    assert _hash("/usr/share/doc") == before


@pytest.mark.slow
def test_apt_installs_a_local_package(sandbox: Sandbox, local_package: pathlib.Path) -> None:
    places = ("/etc", "/var/lib/dpkg", "/var/lib/apt", "/var/cache/apt", "/usr/bin", "/var/log/apt")
    before = _hash(*places)
    script = """
        apt-get install -y /packages/sandbox-sample.deb
        dpkg-query -W -f '${Package} ${db:Status-Status}\\n' sandbox-sample
        stat -c %U /etc/sandbox-sample.conf
        sample
    """
    volume = f"{local_package}:/packages/sandbox-sample.deb:ro"
    output = sandbox.ok("run", "--rm", "-v", volume, "host", "sh", "-ec", script)
    assert output.splitlines()[-3:] == ["sandbox-sample installed", "sandbox-sample", "sample"]
    assert _hash(*places) == before


def test_what_the_user_may_not_look_into_is_empty_and_can_be_written(
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
def test_accounts_are_added_although_the_password_file_is_secret(sandbox: Sandbox) -> None:
    before = _hash("/etc")
    script = """
        test -r /etc/shadow && grep -c '^root:[*]:' /etc/shadow
        useradd -m -u 54321 someone && id someone && su someone -c 'cat /etc/shadow' 2>&1 || true
        groupadd -g 54322 crew && usermod -aG crew someone && id -nG someone
        stat -c '%U:%G %a' /etc/shadow /etc/gshadow
    """
    assert sandbox.host("sh", "-ec", script).splitlines() == [
        "1",
        "uid=54321(someone) gid=54321(someone) groups=54321(someone)",
        "cat: /etc/shadow: Permission denied",
        "someone crew",
        "root:shadow 640",
        "root:shadow 640",
    ]
    assert _hash("/etc") == before


def test_the_store_is_not_part_of_the_machine(sandbox: Sandbox) -> None:
    script = 'ls -A "$0"; find /usr/share/perl5 "$(dirname "$0")" > found && echo ok'
    assert sandbox.host("sh", "-ec", script, str(sandbox.store)) == "ok\n"


def test_programs_may_write_to_the_home_directory(sandbox: Sandbox) -> None:
    script = "cd && pwd && echo text > .sandbox-test && cat ~/.sandbox-test && ls -A | grep -c test"
    assert sandbox.host("sh", "-ec", script) == "/root\ntext\n1\n"
