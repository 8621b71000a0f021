# SPDX-License-Identifier: MIT
"""Uses a database, threads that start processes, and all kinds of process pools."""

import multiprocessing
import os
import sqlite3
import subprocess
import tempfile
import threading


def square(number):
    return number * number


def use_database(path):
    base = sqlite3.connect(path)
    print(*base.execute("pragma journal_mode=wal").fetchone())
    base.execute("create table numbers (n integer)")
    base.executemany("insert into numbers values (?)", [(n,) for n in range(1000)])
    base.commit()
    print(*sqlite3.connect(path).execute("select sum(n) from numbers").fetchone())


def use_threads():
    seen = []

    def ask():
        done = subprocess.run(["id", "-un"], capture_output=True, check=True, text=True)
        seen.append(done.stdout.strip())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*seen)


def use_processes():
    for method in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, sum(pool.map(square, range(100))))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        use_database(os.path.join(folder, "base.sqlite3"))
    use_threads()
    use_processes()
