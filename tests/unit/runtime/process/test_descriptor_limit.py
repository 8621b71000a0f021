# SPDX-License-Identifier: MIT
"""A server may have many descriptors; what it starts has the usual number."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import resource, subprocess, sys
from sandbox.runtime.process import descriptor_limit
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 256))
descriptor_limit.widen()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
pipe = subprocess.PIPE
child = subprocess.Popen(["sh", "-c", "read x; ulimit -n"], stdin=pipe, stdout=pipe)
descriptor_limit.give_back(child.pid)
print(child.communicate(b"go\\n")[0].decode(), end="")
descriptor_limit.give_back(2**22 + 1)
"""


def test_the_limit_is_raised_here_and_given_back_to_children() -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout == "256 256\n64\n"
