# SPDX-License-Identifier: MIT
"""Start many containers on one network and measure what they cost.

    python -m bench.crowd [COUNT]

Starts COUNT (500) containers with `run -d`, each with a server on port 80. One of them looks up
every name and connects to every server. Prints seconds and memory; exits with 1 if a server was
not reached. 500 containers need about 7 GB of memory, nearly all of it for their supervisors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.network import output, print_line, sandbox

MEMBER = Path(__file__).parent.parent / "tests" / "guest" / "programs" / "member.c"
CALL = """
import socket, sys
for name in sys.argv[1:]:
    with socket.create_connection((name, 80), 60) as sock:
        print(name, sock.recv(100).decode(), sock.getpeername()[0])
"""


def _memory(folder: str) -> float:
    """Return the proportional memory of the supervisors and programs of a folder, in GB."""
    total = 0
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        try:
            process = Path("/proc", pid)
            words = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
            if folder.encode() in words:
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1e6


def _ask_all(names: list[str]) -> None:
    [network] = json.loads(output(sandbox("network", "inspect", "crowd")))
    rows = network["Containers"].values()
    addresses = {row["Name"]: row["IPv4Address"].split("/")[0] for row in rows}
    said = output(sandbox("exec", names[0], "/usr/bin/python3", "-c", CALL, *names))
    wanted = [f"{name} {name} {addresses.get(name)}" for name in names]
    if said.splitlines() != wanted or len(set(addresses.values())) != len(names):
        raise SystemExit("bench.crowd: not every container was reached by name")


def main() -> None:
    """Start the containers, connect to all, and print the figures."""
    names = [f"member-{number}" for number in range(int(sys.argv[1]) if sys.argv[1:] else 500)]
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as folder:
        os.environ["SANDBOX_ROOT"] = f"{folder}/store"
        output(["gcc", "-O2", "-static", "-o", f"{folder}/member", str(MEMBER)])
        output(sandbox("network", "create", "crowd"))

        def start(name: str) -> None:
            flags = ("run", "-d", "--network", "crowd", "--stop-timeout", "0", "--name", name)
            output(sandbox(*flags, "host", f"{folder}/member", name))

        try:
            begun = time.monotonic()
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                list(pool.map(start, names))
            print_line(f"{len(names)} started in {time.monotonic() - begun:.1f} s")
            begun = time.monotonic()
            _ask_all(names)
            print_line(f"all reached by name from one in {time.monotonic() - begun:.2f} s")
            print_line(f"memory {_memory(folder):.2f} GB")
        finally:
            begun = time.monotonic()
            subprocess.run(sandbox("rm", "-f", *names), capture_output=True, check=False)
            print_line(f"removed in {time.monotonic() - begun:.1f} s")


if __name__ == "__main__":
    main()
