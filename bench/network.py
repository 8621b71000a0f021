# SPDX-License-Identifier: MIT
"""Measure a container's network and its published ports, beside the host's loopback.

    python -m bench.network [ROUNDS [SECONDS]]
    python -m bench.network names [QUESTIONS [CONTAINERS]]

iperf3 measures the throughput of one stream, programs/connects.c the rate of connections. Each
round measures a server of the host, a published port, and a server in another container. A
figure is the median of the rounds' ratios to the host's own server.

With `names` it measures answers of the networks' name server (programs/asks.c), in turn with a
bare echo over UDP. CONTAINERS others are idle on the same network.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
BURSTS = 60
WAYS = ("machine", "published", "containers")
SLOWEST_ANSWER = 1000.0  # microseconds


@dataclass(frozen=True)
class Place:
    """A server, as a client reaches it: the words before the client's command, and the address."""

    prefix: tuple[str, ...]
    address: str
    port: int


def sandbox(*words: str) -> list[str]:
    """Return a command line of `sandbox`."""
    return [sys.executable, "-m", "sandbox", *words]


def output(command: list[str]) -> str:
    """Run a command that must succeed, and return its output.

    It has its own session, like every container, since the kernel schedules by session.
    """
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=120, start_new_session=True
    ).stdout


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("bench.network: a server does not listen")


@contextmanager
def _native(server: list[str], port: int) -> Iterator[None]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(server, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait()


def _container(stack: ExitStack, name: str, *words: str) -> None:
    flags = ("run", "-d", "--name", name, "--network", "bench", "-v", f"{words[0]}:/bench:ro")
    output(sandbox(*flags, *words[1:]))
    stack.callback(lambda: output(sandbox("rm", "-f", name)))


@contextmanager
def _places(folder: Path, command: list[str], inside: int) -> Iterator[dict[str, Place]]:
    """Start a server of *command* natively and in a container; *inside* is its port there."""
    native, published = _free_port(), _free_port()
    server = [word.replace("PORT", str(native)) for word in command]
    boxed = [word.replace("PORT", str(inside)).replace(str(folder), "/bench") for word in command]
    template = '{{(index .NetworkSettings.Networks "bench").IPAddress}}'
    with ExitStack() as stack:
        stack.enter_context(_native(server, native))
        port = ("-p", f"127.0.0.1:{published}:{inside}")
        _container(stack, "bench-server", str(folder), *port, "host", *boxed)
        _container(stack, "bench-client", str(folder), "host", "sleep", "300")
        _wait_for(published)
        address = output(sandbox("inspect", "-f", template, "bench-server")).strip()
        execute = tuple(sandbox("exec", "bench-client"))
        yield {
            "machine": Place((), "127.0.0.1", native),
            "published": Place((), "127.0.0.1", published),
            "containers": Place(execute, address, inside),
        }


def _throughput(place: Place, seconds: int) -> float:
    words = ["iperf3", "-J", "-c", place.address, "-p", str(place.port), "-t", str(seconds)]
    shown = json.loads(output([*place.prefix, *words]))
    return float(shown["end"]["sum_received"]["bits_per_second"]) / 1e9


def _rate(place: Place, folder: Path) -> float:
    program = "/bench/connects" if place.prefix else f"{folder}/connects"
    words = [program, "call", place.address, str(place.port), str(BURSTS)]
    return 1 / float(output([*place.prefix, *words]))


def print_line(text: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(text + "\n")


def _report(title: str, unit: str, limit: float, rounds: list[dict[str, float]]) -> None:
    print_line(f"{title}: machine {statistics.median(row['machine'] for row in rounds):.3g} {unit}")
    for way in WAYS[1:]:
        ratio = statistics.median(row[way] / row["machine"] for row in rounds)
        mark = "" if ratio >= limit else "  missed"
        print_line(f"  {way:<11} {ratio:6.1%}  (limit {limit:.0%}){mark}")


def _names(questions: str, others: int) -> None:
    """Print the medians of answers, and their ratios to an echo."""
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as name, ExitStack() as stack:
        os.environ["SANDBOX_ROOT"] = f"{name}/store"
        program = Path(name, "asks")
        output(["gcc", "-O2", "-o", str(program), str(PROGRAMS / "asks.c")])
        output(sandbox("network", "create", "bench"))
        for number in range(others):
            _container(stack, f"idle{number}", name, "host", "sleep", "900")
        flags = ("run", "--rm", "--network", "bench", "-v", f"{program}:/asks")
        found = output(sandbox(*flags, "host", "/asks", "idle0", questions)).split()
    echo, again, fresh = map(float, found)
    print_line(f"an echo over UDP       {echo:7.1f} µs")
    for title, value in (("an answer, same socket", again), ("an answer, new socket", fresh)):
        mark = "" if value < SLOWEST_ANSWER else "  missed"
        print_line(f"{title:<22} {value:7.1f} µs  {value / echo:5.1f} times{mark}")


def main() -> None:
    """Print throughput and rate of connections, or what a name costs."""
    if sys.argv[1:2] == ["names"]:
        questions, others, *_ = (*sys.argv[2:], *("2000", "1")[len(sys.argv) - 2 :])
        _names(questions, int(others))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    if shutil.which("iperf3") is None:
        raise SystemExit("bench.network: iperf3 is not installed")
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as name:
        folder = Path(name)
        os.environ["SANDBOX_ROOT"] = str(folder / "store")
        source = str(PROGRAMS / "connects.c")
        output(["gcc", "-O2", "-o", str(folder / "connects"), source])
        output(sandbox("network", "create", "bench"))
        with _places(folder, ["iperf3", "-s", "-p", "PORT"], 5201) as places:
            _report(
                "iperf3, one stream",
                "Gbit/s",
                0.95,
                [{way: _throughput(places[way], seconds) for way in WAYS} for _ in range(rounds)],
            )
        with _places(folder, [f"{folder}/connects", "serve", "PORT"], 80) as places:
            _report(
                "connections",
                "a second",
                0.90,
                [{way: _rate(places[way], folder) for way in WAYS} for _ in range(rounds + 4)],
            )


if __name__ == "__main__":
    main()
