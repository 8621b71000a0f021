# SPDX-License-Identifier: MIT
"""The watch over a container's processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

from sandbox.runtime.process import reaper


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_a_signal_is_passed_on_to_the_main_process() -> None:
    result = _run("""
        import os, signal, time
        from sandbox.runtime.process import reaper
        main = reaper.MainProcess()
        with reaper.proxied_signals(main):
            with reaper.signals_held():
                pid = os.fork()
                if pid == 0:
                    reaper.reset_signals()
                    signal.signal(signal.SIGUSR1, lambda *_: os._exit(7))
                    os.kill(os.getppid(), signal.SIGUSR1)
                    time.sleep(30)
                main.born(pid)
            main.reap(block=True)
        print(os.waitstatus_to_exitcode(main.status))
    """)
    assert result.stdout == "7\n", result.stderr


def test_a_signal_before_the_start_is_delivered_after_it() -> None:
    main = reaper.MainProcess()
    main.send(signal.SIGTERM)
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    main.born(pid)
    main.reap(block=True)
    assert main.status == signal.SIGTERM


def test_orphans_are_adopted_and_everything_is_killed_at_the_end() -> None:
    result = _run("""
        import os, time
        from sandbox.native import core
        from sandbox.runtime.process import reaper
        reaper.adopt_orphans()
        main = reaper.MainProcess()
        reader, writer = os.pipe()
        run_dir = "/nowhere/%012x" % os.getpid()
        pid = os.fork()
        if pid == 0:
            core.take_mark(core.mark_of(run_dir))
            orphan = os.fork()
            if orphan == 0:
                time.sleep(60)
            os.write(writer, b"%d" % orphan)
            os._exit(4)
        main.born(pid)
        main.reap(block=True)
        orphan = int(os.read(reader, 20))
        assert reaper.start_time_of(orphan)
        reaper.kill_all(run_dir + "/control")
        print(main.status >> 8, reaper.start_time_of(orphan))
    """)
    assert result.stdout == "4 None\n", result.stderr


def test_a_new_process_starts_with_no_signal_ignored_or_blocked() -> None:
    result = _run("""
        import os, signal
        from sandbox.runtime.process import reaper
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        reaper.reset_signals()
        os.execvp("grep", ["grep", "-E", "Sig(Blk|Ign)", "/proc/self/status"])
    """)
    values = [int(line.split()[1], 16) for line in result.stdout.splitlines()]
    # Signals 32 and 33 belong to the C library; only the guest runtime can reset them.
    assert [value & ~(3 << 31) for value in values] == [0, 0]


def test_a_start_time_distinguishes_processes_with_the_same_pid() -> None:
    assert reaper.start_time_of(os.getpid()) == reaper.start_time_of(os.getpid())
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    assert reaper.start_time_of(pid) is None  # a zombie has ended
    os.waitpid(pid, 0)
    assert reaper.start_time_of(pid) is None
