# SPDX-License-Identifier: MIT
"""/proc shows a container's processes as that of a pid namespace does, and guards them.

The expected output was recorded with real root in a pid namespace: see proc_view.c.
"""

from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from tests.harness.command import Sandbox
from tests.harness.oracle import difference

pytestmark = pytest.mark.guest

RECORDED = pathlib.Path(__file__).parents[1] / "recorded"
VIEWS = ("lists", "outsiders", "numbers", "owners")
MEETINGS = ("root-meets", "user-meets", "mixture-meets")


def compare(sandbox: Sandbox, program: pathlib.Path, group: str, *options: str) -> None:
    outsider = f"OUTSIDER={os.getpid()}"  # the user's own process, as decoys are
    output = sandbox.ok("run", "--rm", "-e", outsider, *options, "host", str(program), group)
    recorded = (RECORDED / f"proc_view-{group}.txt").read_text().splitlines()
    found = output.splitlines()
    assert recorded == found, difference(recorded, found)


@pytest.mark.parametrize("interceptor", ["rewrite", "trap", "ptrace"])
@pytest.mark.parametrize("group", VIEWS)
def test_a_container_sees_its_own_processes_in_proc(
    sandbox: Sandbox, guest_program, group: str, interceptor: str
) -> None:
    if interceptor == "ptrace" and group == "numbers":
        pytest.skip("with this interceptor a program cannot trace another")
    compare(sandbox, guest_program("proc_view"), group, "--interceptor", interceptor)


@pytest.mark.parametrize("group", MEETINGS)
def test_users_of_one_container_are_kept_apart_as_by_the_kernel(
    sandbox: Sandbox, guest_program, group: str
) -> None:
    compare(sandbox, guest_program("proc_view"), group)


def test_a_signal_of_another_user_is_refused(sandbox: Sandbox) -> None:
    script = (
        "sleep 9 & setpriv --reuid 65534 --clear-groups kill -9 $!; echo $?;"
        " kill -0 $! && echo alive"
    )
    assert sandbox.ok("run", "--rm", "host", "sh", "-c", script).split() == ["1", "alive"]


def test_a_bind_of_proc_shows_the_containers_processes(sandbox: Sandbox) -> None:
    script = f"test ! -e /seen/{os.getpid()} && cat /seen/self/comm; set /seen/[0-9]*; echo $#"
    output = sandbox.ok("run", "--rm", "-v", "/proc:/seen", "host", "sh", "-c", script)
    assert output.split() == ["cat", "1"]


def test_find_walks_the_containers_processes_alone(sandbox: Sandbox) -> None:
    script = "find /proc -maxdepth 1 -name '[0-9]*' >list; cat list; cd /proc; set [0-9]*; echo $#"
    output = sandbox.ok("run", "--rm", "-w", "/srv", "host", "sh", "-c", script)
    assert len(output.split()) == 3, "the shell and find; then the shell alone"
    assert output.split()[-1] == "1"


TREE = """
sleep 77 & one=$!
setpriv --reuid 65534 --clear-groups sleep 78 & two=$!
until [ "$(cat /proc/$two/comm 2>&1)" = sleep ]; do :; done
"""


@pytest.mark.parametrize(
    ("tool", "command", "expected"),
    [
        ("ps", "ps -e -o user=,ppid=,args= | grep '[s]leep 7[78]$' | sed s/$$/shell/",
         ["root shell sleep 77", "nobody shell sleep 78"]),
        ("ps", "ps -ef | wc -l", ["6"]),
        ("top", "top -b -n1 | grep -c ' sleep$'; top -b -n1 | grep -o '^Tasks: *[0-9]*'",
         ["2", "Tasks: 5"]),
        ("pidof", "pidof sleep | wc -w; test \"$(pidof -s sleep)\" = $two && echo last",
         ["2", "last"]),
        ("pgrep", "pgrep -c sleep; pgrep -u nobody -a | sed s/$two/two/; pgrep -P $$ -c",
         ["2", "two sleep 78", "2"]),
        ("pstree", "pstree -A $$ | tr -d '\\n'", ["sh-+-pstree|-2*[sleep]`-tr"]),
        ("killall", "killall sleep; wait; ps -e -o comm= | grep -c sleep", ["0"]),
        ("pkill", "pkill -9 -u nobody; wait $two; echo $?; kill -0 $one && echo alive",
         ["137", "alive"]),
    ],
)  # fmt: skip
def test_tools_know_the_containers_processes(
    sandbox: Sandbox, tool: str, command: str, expected: list[str]
) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"this machine has no {tool}")
    output = sandbox.call("run", "--rm", "host", "sh", "-c", TREE + command).stdout.decode()
    lines = [" ".join(line.split()) for line in output.splitlines()]
    if tool == "pstree":
        assert "sleep" in lines[0]
        assert "pstree" in lines[0]
    else:
        assert lines == expected
