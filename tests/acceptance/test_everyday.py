# SPDX-License-Identifier: MIT
"""Everyday programs, run as root in the host's own tree."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pexpect
import pyte
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

# program: (script, its output)
PROGRAMS = {
    "perl": ("perl -e 'open F, \"/etc/passwd\"; print scalar(<F>) =~ /^root/, qq{\\n}'", "1\n"),
    "awk": ("awk 'BEGIN { while ((\"ls /etc\" | getline) > 0) n++; print(n > 10) }'", "1\n"),
    "find": ("find /usr/share/perl5 -name Find.pm -o -name Copy.pm | wc -l | grep -c .", "1\n"),
    "xargs": (
        "mkdir x && cd x && touch $(seq 200) && ls | xargs -P 4 -n 1 echo | wc -l",
        "200\n",
    ),
    "tar": (
        "tar czf a.tgz -C /etc alternatives && mkdir x && tar xzf a.tgz -C x"
        " && diff -r --no-dereference /etc/alternatives x/alternatives && rm -r x && echo ok",
        "ok\n",
    ),
    "cp": (
        "cp -a /etc/alternatives y && diff -r --no-dereference /etc/alternatives y"
        " && cp -al y z && stat -c %h z/README && mv z w && rm -r y && ls w | wc -l | grep -c .",
        "2\n1\n",
    ),
    "install": (
        "install -o daemon -g adm -m 4711 /bin/ls i && stat -c '%U %G %a' i",
        "daemon adm 4711\n",
    ),
    "xz": ("head -c 300000 /bin/bash > b && xz -k b && xz -dc b.xz | cmp - b && echo ok", "ok\n"),
    "zstd": ("zstd -q /bin/bash -o b.zst && zstd -dqc b.zst | cmp - /bin/bash && echo ok", "ok\n"),
    "openssl": (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=name -days 1 2> e"
        " && openssl x509 -in c -noout -subject && stat -c %a k",
        "subject=CN = name\n600\n",
    ),
    "ssh-keygen": (
        "ssh-keygen -q -t ed25519 -N '' -f key && ssh-keygen -lf key | grep -c 256",
        "1\n",
    ),
    "sqlite3": (
        "sqlite3 d 'pragma journal_mode=wal; create table t (a); insert into t values (2);"
        " select a from t' && sqlite3 d 'select a + 1 from t'",
        "wal\n2\n3\n",
    ),
    "man": ("MANPAGER=cat man ls | head -n 1 | cut -c1-5", "LS(1)\n"),
    "locale-gen": (
        "echo de_DE.UTF-8 UTF-8 > /etc/locale.gen; locale-gen > l && tail -n 1 l",
        "Generation complete.\n",
    ),
    "update-alternatives": (
        "update-alternatives --quiet --install /usr/bin/sbx sbx /bin/ls 10"
        " && readlink -f /usr/bin/sbx",
        "/usr/bin/ls\n",
    ),
    "ldconfig": ("ldconfig && ldconfig -p | grep 'libc.so.6 ' | grep -c x86-64", "1\n"),
    "adduser": (
        "adduser --quiet --system --group sbx && id -un sbx && getent group sbx | cut -d: -f1",
        "sbx\nsbx\n",
    ),
    "systemd-sysusers": ("echo 'u sbx 56789' | systemd-sysusers - 2> e; id -u sbx", "56789\n"),
    "systemd-tmpfiles": (
        "echo 'd /run/sbx 0751 daemon adm' > t.conf; systemd-tmpfiles --create $PWD/t.conf"
        "; stat -c '%U %G %a' /run/sbx",
        "daemon adm 751\n",
    ),
    "setcap": (
        "cp /bin/ls p && setcap cap_net_raw+ep p && getcap p && setcap -r p && getcap p",
        "p cap_net_raw=ep\n",
    ),
    "setfacl": (
        "touch f && setfacl -m u:1:rw,g:2:r f && getfacl -n f | tail -n 7 && setfacl -b f"
        " && getfacl -c f | wc -l",
        "user::rw-\nuser:1:rw-\ngroup::r--\ngroup:2:r--\nmask::rw-\nother::r--\n\n4\n",
    ),
    "setfattr": (
        "touch f && setfattr -n user.a -v b f && cp --preserve=xattr f g"
        " && getfattr -d g | grep a=",
        'user.a="b"\n',
    ),
    "flock": (
        "flock lock echo locked && (flock -n 9 && ! flock -n lock true) 9> lock && echo ok",
        "locked\nok\n",
    ),
    "chroot": (
        "mkdir -p r/bin && cp /bin/busybox r/bin && chroot r /bin/busybox sh -c"
        " 'pwd; /bin/busybox ls /'",
        "/\nbin\n",
    ),
    "runuser": (
        "runuser -u daemon -- id -un && runuser -u daemon -- test ! -w /etc && echo ok",
        "daemon\nok\n",
    ),
    "start-stop-daemon": (
        "start-stop-daemon -S -b -m -p /sbx.pid -x /bin/sleep -- 100"
        " && until start-stop-daemon -T -p /sbx.pid -x /bin/sleep; do sleep 0.1; done && echo up"
        " && start-stop-daemon -K -q -p /sbx.pid -x /bin/sleep && echo down",
        "up\ndown\n",
    ),
    "timeout": ("timeout 0.2 sleep 5; echo $?; timeout -s KILL 0.2 sleep 5; echo $?", "124\n137\n"),
    "script": ("script -qec 'tty; stty size' /dev/null < /dev/null | grep -c /dev/pts", "1\n"),
    "tmux": (
        "tmux -L t new -d 'sleep 50' && tmux -L t ls | grep -c windows && tmux -L t kill-server",
        "1\n",
    ),
    "gpg": (
        "mkdir -m 700 g; export GNUPGHOME=$PWD/g;"
        " gpg -q --batch --passphrase '' --quick-gen-key me && gpg -K --with-colons | grep -c ^sec",
        "1\n",
    ),
    "bash": (
        'bash -c \'cat <(echo sub); mkfifo p; (echo fifo > p &); cat p; trap "echo term" TERM;'
        " kill $$; coproc cat; echo co >&${COPROC[1]}; read x <&${COPROC[0]}; echo $x'",
        "sub\nfifo\nterm\nco\n",
    ),
    "file": (
        "file -b /etc/passwd && file -b --mime-type /bin/ls",
        "ASCII text\napplication/x-pie-executable\n",
    ),
    "df": ("df --output=target / | tail -n 1 && mount | grep -c ' on / '", "/\n1\n"),
    "gcc": (
        "echo 'int main(void) { return 7; }' | gcc -fsanitize=address -x c - -o a; ./a; echo $?",
        "7\n",
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_gives_its_usual_output(sandbox: Sandbox, program: str) -> None:
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    if shutil.which(program, path=path) is None:
        pytest.skip(f"needs {program}")
    script, expected = PROGRAMS[program]
    done = sandbox.call("run", "--rm", "-w", "/sbx", "host", "sh", "-c", script)
    assert done.stdout.decode() == expected, done.stderr.decode()


class Screen:
    """A terminal of 24 lines and 80 columns that shows a container."""

    def __init__(self, sandbox: Sandbox, *command: str) -> None:
        program, *rest = sandbox.argv("run", "--rm", "-it", *command)
        self.child = pexpect.spawn(
            program,
            rest,
            env={**sandbox.environment(), "TERM": "linux"},  # type: ignore[arg-type]
            dimensions=(24, 80),
            timeout=100,
        )
        self.display = pyte.Screen(80, 24)
        self.stream = pyte.ByteStream(self.display)

    def type(self, keys: str) -> None:
        self.child.send(keys)

    def wait(self, seen: Callable[[list[str]], bool]) -> list[str]:
        """Read until *seen* accepts the lines on the screen."""
        end = time.monotonic() + 100
        while not seen(self.display.display):
            assert time.monotonic() < end, "\n".join(self.display.display)
            try:
                self.stream.feed(self.child.read_nonblocking(65536, timeout=0.2))
            except pexpect.TIMEOUT:
                pass
            except pexpect.EOF:
                assert seen(self.display.display), "\n".join(self.display.display)
        return self.display.display

    def wait_for(self, text: str) -> list[str]:
        return self.wait(lambda lines: any(text in line for line in lines))

    def end(self) -> int | None:
        self.child.expect(pexpect.EOF)
        self.child.close()
        status: int | None = self.child.exitstatus
        return status


def _shell(sandbox: Sandbox) -> Screen:
    screen = Screen(
        sandbox, "-e", "TERM=linux", "-e", "PS1=ready> ", "host", "bash", "--norc", "-i"
    )
    screen.wait_for("ready>")
    return screen


@pytest.mark.skipif(shutil.which("vim.tiny") is None, reason="needs vim.tiny")
def test_an_editor_draws_the_screen_suspends_and_saves(sandbox: Sandbox) -> None:
    screen = _shell(sandbox)
    screen.type("vim.tiny -u NONE /sbx-note\r")
    screen.wait(lambda lines: lines[1].startswith("~") and lines[22].startswith("~"))
    screen.type("ione\rtwo\x1b")
    screen.wait(lambda lines: lines[0].startswith("one") and lines[1].startswith("two"))
    screen.type("\x1a")
    screen.wait_for("Stopped")
    screen.type("fg\r")
    screen.wait(lambda lines: lines[0].startswith("one") and lines[22].startswith("~"))
    screen.child.setwinsize(12, 60)
    screen.display.resize(12, 60)
    screen.wait(lambda lines: lines[0].startswith("one") and lines[10].startswith("~"))
    screen.type(":wq\r")
    screen.wait_for("ready>")
    screen.type("clear; cat /sbx-note; echo end=$((40+2))\r")
    lines = screen.wait_for("end=42")
    assert [line.strip() for line in lines[:3]] == ["one", "two", "end=42"]
    screen.type("exit 6\r")
    assert screen.end() == 6


def test_a_pager_and_top_react_to_keys(sandbox: Sandbox) -> None:
    screen = _shell(sandbox)
    if shutil.which("less"):
        screen.type("seq 1000 | less\r")
        screen.wait(lambda lines: lines[0].startswith("1 ") and lines[23].startswith(":"))
        screen.type("G")
        screen.wait(lambda lines: any(line.startswith("1000 ") for line in lines))
        screen.type("q")
        screen.wait_for("ready>")  # earlier input might reach the program
    screen.type("clear; top\r")
    screen.wait_for("load average")
    screen.wait_for("COMMAND")
    screen.type("q")
    screen.wait_for("ready>")
    screen.type("\rclear; echo status=$?\r")
    screen.wait_for("status=0")
    screen.type("exit\r")
    assert screen.end() == 0
