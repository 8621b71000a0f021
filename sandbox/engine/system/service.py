# SPDX-License-Identifier: MIT
"""``system start``: start containers with the machine; the systemd unit for it."""

from __future__ import annotations

import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.runtime.restart_policy import wants_revival

if TYPE_CHECKING:
    from sandbox.engine.containers import Containers

_UNIT = """\
# Put this into ~/.config/systemd/user/sandbox.service, then:
#   systemctl --user enable sandbox.service
#   loginctl enable-linger        (to start with the machine, not with the first login)
[Unit]
Description=Containers of sandbox with a restart policy

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart={command} system start
# The supervisors stop their containers when they are asked to end.
KillMode=mixed
TimeoutStopSec=15

[Install]
WantedBy=default.target
"""


def start_all(containers: Containers) -> tuple[list[str], list[SandboxError]]:
    """Start the containers whose restart policy says so; return names and errors."""
    started, problems = [], []
    for container in containers.list():
        state, config = container.state, container.config
        wanted = wants_revival(
            config.policy, stopped=state.stopped, was_started=bool(state.started_at)
        )
        if state.is_running or not wanted:
            continue
        try:
            containers.start(config.id)
        except SandboxError as exc:
            problems.append(exc)
        else:
            started.append(config.name)
    return started, problems


def service_unit() -> str:
    """Return a systemd user unit that starts the containers."""
    program = shutil.which("sandbox")
    command = shlex.quote(program) if program else shlex.join([sys.executable, "-m", "sandbox"])
    return _UNIT.format(command=command)
