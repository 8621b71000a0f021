# SPDX-License-Identifier: MIT
"""What /proc says of a process.

Rules: a process whose first thread has ended lives while another thread does, although the kernel
calls it a zombie.

Does not know: which processes belong to a container.
"""

from __future__ import annotations

from sandbox.models.record import Record


class ProcessStatus(Record, frozen=True):
    """One line of /proc/PID/stat.

    *state* is the kernel's letter, *start_time* is in clock ticks after boot.
    """

    parent: int
    state: str
    threads: int
    start_time: int

    @property
    def has_ended(self) -> bool:
        """Tell whether only the wait of the parent is missing."""
        return self.state == "X" or (self.state == "Z" and self.threads <= 1)


def parse_status(line: bytes) -> ProcessStatus:
    """Return the status in a line of /proc/PID/stat.

    >>> parse_status(b"7 (a) b) S 1 " + b" ".join(b"%d" % n for n in range(5, 53)))
    ProcessStatus(parent=1, state='S', threads=20, start_time=22)
    """
    # The name may contain spaces and brackets: count after the last bracket.
    fields = line.rpartition(b")")[2].split()
    return ProcessStatus(int(fields[1]), fields[0].decode(), int(fields[17]), int(fields[19]))


def status_of(pid: int) -> ProcessStatus | None:
    """Return the status of a process, or None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_status(file.read())
    except OSError:
        return None
