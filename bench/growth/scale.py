# SPDX-License-Identifier: MIT
"""Measure how times grow with the store: many files, many containers, long logs.

    python -m bench.growth.scale [FILES] [CONTAINERS] [LOG_MIB] [DIRECTORY]

Each row has the time of a small and of a large case, and their ratio; the rows of files have the
ratio to `tar x`. Cases take turns, and the quickest of the rounds counts. Memory is the largest of
a command's processes.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sandbox import CreateRequest, Engine
from sandbox.runtime.logs.writer import records

DEFAULTS = [100_000, 1000, 1024]
ROUNDS = 3
FEW = 10
_LINE = b"x" * 100 + b"\n"
_FOLDER = 100  # files of a folder

Timed = tuple[float, int]


def timed(command: list[str], environ: dict[str, str]) -> Timed:
    """Run a command; return its seconds and, in KiB, the memory of its largest process."""
    began = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        command,
        environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1)],
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"bench.growth.scale: {' '.join(command)} failed")
    return time.perf_counter() - began, usage.ru_maxrss


def best(rounds: list[Timed]) -> Timed:
    """Return the quickest time, and the largest memory."""
    return min(seconds for seconds, _ in rounds), max(memory for _, memory in rounds)


def make_tar(path: Path, count: int) -> None:
    """Write a tar with a program that does nothing and *count* small files."""
    program = path.with_name("nothing")
    source = b"int main(void) { return 0; }"
    compiler = ["gcc", "-static", "-x", "c", "-", "-o", str(program)]
    subprocess.run(compiler, input=source, check=True)
    with tarfile.open(path, "w") as tar:
        tar.add(program, "nothing")
        for number in range(count):
            if number % _FOLDER == 0:
                folder = tarfile.TarInfo(f"data/{number // _FOLDER}")
                folder.type, folder.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(folder)
            entry = tarfile.TarInfo(f"data/{number // _FOLDER}/{number}")
            entry.size = number % 300
            tar.addfile(entry, io.BytesIO(b"x" * entry.size))


class Bench:
    """One measurement, in a directory of its own."""

    def __init__(self, place: Path) -> None:
        """Use stores in *place*."""
        self.place = place
        self.command = str(Path(sys.executable).with_name("sandbox"))

    def run(self, store: str, *words: str) -> Timed:
        """Time a command on one of the stores."""
        environ = {**os.environ, "SANDBOX_ROOT": str(self.place / store)}
        return timed([self.command, *words], environ)

    def engine(self, store: str) -> Engine:
        """Return the engine on one of the stores."""
        os.environ["SANDBOX_ROOT"] = str(self.place / store)
        return Engine()

    def files(self, count: int) -> None:
        """Measure import, the first run and rmi beside tar."""
        tars, imports, firsts, seconds, removals = [], [], [], [], []
        archive = self.place / "files.tar"
        make_tar(archive, count)
        for _ in range(ROUNDS):
            tree = self.place / "tree"
            tree.mkdir()
            tars.append(timed(["tar", "xf", str(archive), "-C", str(tree)], dict(os.environ)))
            shutil.rmtree(tree)
            imports.append(self.run("files", "import", str(archive), "many"))
            firsts.append(self.run("files", "run", "--name", "first", "many", "/nothing"))
            seconds.append(self.run("files", "run", "--rm", "many", "/nothing"))
            removals.append(self.run("files", "rmi", "-f", "many"))
            self.run("files", "rm", "first")
            self.run("files", "system", "prune", "-f")
        show(f"tar x of {count} files", best(tars))
        show(f"import of {count} files", best(imports), best(tars))
        show_pair("second run, first run", best(seconds), best(firsts))
        show("rmi", best(removals))

    def containers(self, count: int) -> None:
        """Measure commands on stores with few and with many containers."""
        stores = {"few": FEW, "many": count}
        for store, number in stores.items():
            engine = self.engine(store)
            for index in range(number):
                engine.containers.create(CreateRequest(image="host", name=f"c-{index}"))
        for label, words in (
            ("run --rm", ["run", "--rm", "host", "true"]),
            ("inspect", ["inspect", "c-3"]),
            ("ps", ["ps"]),
            ("ps -a", ["ps", "-a"]),
            ("create", ["create", "host"]),
        ):
            self.compare(label, dict.fromkeys(stores, words))
        show_pair(
            f"rm one of {FEW}, of {count}",
            *(best([self.run(store, "rm", f"c-{n}") for n in range(ROUNDS)]) for store in stores),
        )

    def logs(self, mib: int) -> None:
        """Measure the end of a short and of a long log."""
        stores = {"short": 1, "long": mib}
        for store, size in stores.items():
            container = self.engine(store).containers.create(
                CreateRequest(image="host", name="logged")
            )
            folder = self.place / store / "containers" / container.config.id
            piece = b"".join(
                records([_LINE], "stdout", second * 10**9)[0] for second in range(1000)
            )
            with (folder / f"{container.config.id}-json.log").open("wb") as file:
                for _ in range(size * 1024 * 1024 // len(piece) + 1):
                    file.write(piece)
        for words in (["logs", "--tail", "3", "logged"], ["logs", "--since", "1s", "logged"]):
            self.compare(" ".join(words[:2]), dict.fromkeys(stores, words))

    def compare(self, label: str, words: dict[str, list[str]]) -> None:
        """Time a command on two stores in turns, and show the ratio."""
        found: dict[str, list[Timed]] = {store: [] for store in words}
        for _ in range(ROUNDS + 1):
            for store, command in words.items():
                found[store].append(self.run(store, *command))
        show_pair(label, *(best(rounds[1:]) for rounds in found.values()))


def show(label: str, found: Timed, beside: Timed | None = None) -> None:
    """Print a row, with the ratio to another one."""
    ratio = "" if beside is None else f"{found[0] / beside[0]:6.2f} of tar"
    sys.stdout.write(f"{label:34} {found[0]:9.3f} s {found[1] / 1024:7.0f} MiB {ratio}" + "\n")
    sys.stdout.flush()


def show_pair(label: str, small: Timed, large: Timed) -> None:
    """Print the times of a small and of a large case."""
    times = f"{small[0] * 1000:7.0f} ms {large[0] * 1000:7.0f} ms {large[0] / small[0]:6.2f}"
    sys.stdout.write(f"{label:34} {times} {large[1] / 1024:7.0f} MiB" + "\n")
    sys.stdout.flush()


def main(words: list[str]) -> None:
    """Measure with the sizes of the command line."""
    sizes = [int(word) for word in words[:3]]
    files, containers, mib = [*sizes, *DEFAULTS[len(sizes) :]]
    with tempfile.TemporaryDirectory(dir=words[3] if len(words) > 3 else None) as place:
        bench = Bench(Path(place))
        parts: list[Callable[[], None]] = [
            lambda: bench.logs(mib),
            lambda: bench.containers(containers),
            lambda: bench.files(files),
        ]
        for part in parts:
            part()


if __name__ == "__main__":
    main(sys.argv[1:])
