# SPDX-License-Identifier: MIT
"""Compilers, make, git and runtimes of other languages work in a container."""

from __future__ import annotations

import pathlib
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

HERE = pathlib.Path(__file__).parent

C_PROGRAM = r"""
#include <pthread.h>
#include <stdio.h>
static void *work(void *number) { return (char *)number + 1; }
int main(void) {
    pthread_t threads[8];
    long sum = 0;
    for (long i = 0; i < 8; i++) pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < 8; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("C %ld\n", sum);
}
"""
CXX_PROGRAM = r"""
#include <fstream>
#include <future>
#include <iostream>
#include <stdexcept>
int main() {
    auto lines = std::async(std::launch::async, [] {
        std::ifstream file("/etc/passwd");
        std::string line;
        int count = 0;
        while (std::getline(file, line)) count++;
        if (count == 0) throw std::runtime_error("empty");
        throw std::logic_error("not empty");
        return count;
    });
    try { lines.get(); }
    catch (const std::logic_error &e) { std::cout << "C++ " << e.what() << '\n'; }
}
"""
MAKEFILE = """
objects := $(patsubst %.c,%.o,$(wildcard unit*.c)) main.o
program: $(objects)
\t$(CC) -o $@ $^
clean:
\trm -f program *.o
"""

# HOME and the tree are parameters, so that the script also runs natively.
GIT = """
git config --global user.name Tester
git config --global user.email tester@example.org
git config --global init.defaultBranch main
git init -q --bare "$HOME/origin.git"
git clone -q "$HOME/origin.git" "$HOME/clone" 2> /dev/null
cp -r "$0/." "$HOME/clone/" && cd "$HOME/clone"
git add . && git commit -q -m first && git push -q origin HEAD
git status --porcelain
git rev-list --count HEAD; git ls-files | wc -l
git checkout -q -b topic
git mv d1 moved && echo change >> d2/f3 && rm d3/f4 && chmod 755 d2/f5
ln -s f1 d2/link && echo new > new
git status --porcelain | cut -c1-2 | LC_ALL=C sort | uniq -c | sed 's/^ *//'
git add -A && git commit -q -m second && git diff --shortstat HEAD~
git checkout -q - && git merge -q --no-edit topic && git stash list
for i in 1 2 3; do echo $i >> new && git commit -q -a -m $i; done
git gc -q --prune=now --aggressive && git fsck --strict && find .git/objects -type f | wc -l
git clone -q . ../second && git -C ../second log --oneline | wc -l && diff -r -x .git . ../second
git worktree add -q ../work topic && git -C ../work status --porcelain
git worktree remove ../work
git push -q origin --all && git clone -q "$HOME/origin.git" "$HOME/third" && git -C ../third gc -q
"""
GIT_OUTPUT = """\
1
300
1  D
2  M
2 ??
30 R@
 35 files changed, 3 insertions(+), 15 deletions(-)
4
5
""".replace("@", " ")


def _sources(folder: pathlib.Path, units: int) -> pathlib.Path:
    """Write a C program of many small files."""
    folder.mkdir()
    for number in range(units):
        text = (
            f'#include <stdio.h>\n#include "all.h"\nint unit{number}(void) {{ return {number}; }}\n'
        )
        (folder / f"unit{number}.c").write_text(text)
    names = [f"unit{number}" for number in range(units)]
    (folder / "all.h").write_text("".join(f"int {name}(void);\n" for name in names))
    total = " + ".join(f"{name}()" for name in names)
    main = f'#include <stdio.h>\n#include "all.h"\nint main(void) {{ printf("%d\\n", {total}); }}\n'
    (folder / "main.c").write_text(main)
    (folder / "Makefile").write_text(MAKEFILE)
    return folder


def test_make_and_gcc_build_a_program(toolchain_image: Sandbox, tmp_path: pathlib.Path) -> None:
    folder = _sources(tmp_path / "source", 30)
    (folder / "threads.c").write_text(C_PROGRAM)
    script = """
        cp -r /source /root/build && cd /root/build
        gcc -O2 -Wall -pthread -o threads threads.c && ./threads
        gcc -O2 -static -pthread -o static threads.c && ./static
        make -s -j4 && ./program
        make -q && touch unit3.c && ! make -q && make -s && ./program
        make -s clean && ls *.o program 2> /dev/null | wc -l
    """
    output = toolchain_image.ok(
        *("run", "--rm", "-v", f"{folder}:/source:ro", "toolchain", "sh", "-ec", script),
        timeout=250,
    )
    assert output == "C 36\nC 36\n435\n435\n0\n"


def test_the_host_s_cxx_compiler_builds_a_program(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    (tmp_path / "sample.cc").write_text(CXX_PROGRAM)
    script = 'cd "$(mktemp -d)" && g++ -O1 -pthread -o sample "$0" && ./sample'
    output = sandbox.host("sh", "-ec", script, f"{tmp_path}/sample.cc")
    assert output == "C++ not empty\n"


def test_git_works_on_a_tree_of_300_files(toolchain_image: Sandbox, tmp_path: pathlib.Path) -> None:
    tree = tmp_path / "tree"
    for number in range(300):
        path = tree / f"d{number // 30}" / f"f{number % 30}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"line {number}\n" * (1 + number % 40))
    output = toolchain_image.ok(
        *("run", "--rm", "-v", f"{tree}:/tree:ro", "toolchain", "sh", "-ec", GIT, "/tree"),
        timeout=250,
    )
    assert output == GIT_OUTPUT


def test_python_runs_threads_children_and_process_pools(toolchain_image: Sandbox) -> None:
    volume = f"{HERE}/programs/sample.py:/sample.py:ro"
    output = toolchain_image.ok("run", "--rm", "-v", volume, "toolchain", "python3", "/sample.py")
    assert output.splitlines()[-3:] == ["fork 328350", "spawn 328350", "forkserver 328350"]


def test_a_static_go_program_runs(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    source = HERE / "programs" / "sample.go"
    program = tmp_path / "sample"
    environ = {
        **sandbox.environment(),
        "CGO_ENABLED": "0",
        "GOCACHE": f"{tmp_path}/cache",
        "GOFLAGS": "-mod=mod",
        "GO111MODULE": "off",
    }
    command = ["go", "build", "-o", program, source]
    subprocess.run(command, env=environ, check=True, timeout=250)
    output = sandbox.host(str(program))
    assert output.splitlines() == [
        "lengths 1",
        "children 120",
        "user defined signal 1",
        "true -rw------- 4",
        "recovered true",
        "exit status 1 0",
    ]


@pytest.mark.parametrize("flags", [["-static"], ["-static-pie"], [], ["-no-pie"]])
def test_a_musl_program_runs(sandbox: Sandbox, tmp_path: pathlib.Path, flags: list[str]) -> None:
    source = tmp_path / "threads.c"
    source.write_text(C_PROGRAM)
    program = tmp_path / "threads"
    subprocess.run(["musl-gcc", *flags, "-o", program, source], check=True, timeout=100)
    assert sandbox.host(str(program)) == "C 36\n"


BUSYBOX = """
id -u; pwd; echo text > /etc/file; cat /etc/file; ls /bin | wc -l
mkdir -p /a/b && cp /bin/busybox /a/b/ && /a/b/busybox echo copied
tar cf /t.tar a && mkdir /x && tar xf /t.tar -C /x && cmp /x/a/b/busybox /bin/busybox && echo same
rm -r /a && ls -d /a 2>&1
find / -xdev -name busybox | sort; echo 3 4 | awk '{print $1 + $2}' | sed s/7/seven/
(sleep 1 & wait $!) && ps > /dev/null && df / | wc -l
mknod /null c 1 3 && echo x > /null && ls -l /null | cut -c1; exec sh -c 'exit 7'
"""
BUSYBOX_OUTPUT = """\
0
/
text
COUNT
copied
same
ls: /a: No such file or directory
/bin/busybox
/x/a/b/busybox
seven
2
c
"""


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    return member


def test_busybox_is_enough_for_an_image(sandbox: Sandbox, tmp_path: pathlib.Path) -> None:
    busybox = "/bin/busybox"
    done = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
    applets = done.stdout.split()
    with tarfile.open(tmp_path / "busybox.tar.gz", "w:gz") as tar:
        for name in ("bin", "etc", "tmp", "proc", "dev"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(member)
        tar.add(busybox, "bin/busybox", filter=_of_root)
        for number, applet in enumerate(sorted({*applets, "sh"} - {"busybox"})):
            member = tarfile.TarInfo(f"bin/{applet}")
            member.type = tarfile.SYMTYPE if number % 2 else tarfile.LNKTYPE
            member.linkname = "busybox" if number % 2 else "bin/busybox"
            tar.addfile(member)
    sandbox.ok("import", "--change", 'CMD ["/bin/sh"]', tmp_path / "busybox.tar.gz", "busybox")
    done = sandbox.call("run", "--rm", "-i", "busybox", stdin=BUSYBOX.encode())
    assert done.stderr == b""
    assert done.returncode == 7
    assert done.stdout.decode() == BUSYBOX_OUTPUT.replace("COUNT", str(len({*applets, "sh"})))
