# SPDX-License-Identifier: MIT
"""Instructions that change no file: how each changes the configuration. Pure.

Rules: the history rows are BuildKit's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.builder.stage_state import Row
from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.go_text import quoted
from sandbox.dockerfile.ports import exposed_ports
from sandbox.models import oci

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.builder.stage_state import State

_UNITS = (("h", 3600 * 10**9), ("m", 60 * 10**9))


def apply(state: State, instruction: say.Instruction) -> bool:
    """Apply an (expanded) instruction; return False if it is not of this kind."""
    change = _CHANGES.get(type(instruction))
    if change is None:
        return False
    text = change(state, instruction)
    if text:
        state.history.append(Row(text, empty=True))
    return True


def set_environment(config: oci.RunConfig, name: str, value: str) -> oci.RunConfig:
    """Return the configuration with a variable added or changed."""
    entries = list(config.env or ())
    for place, entry in enumerate(entries):
        if entry.partition("=")[0] == name:
            entries[place] = f"{name}={value}"
            break
    else:
        entries.append(f"{name}={value}")
    return msgspec.structs.replace(config, env=entries)


def declare(state: State, instruction: say.Arg) -> None:
    """Apply a (resolved) ARG, which only adds a row to the history."""
    shown = [
        item.name if item.default is None else f"{item.name}={item.default}"
        for item in instruction.arguments
    ]
    state.history.append(Row("ARG " + " ".join(shown), empty=True))


def command_line(state: State, command: say.Command) -> tuple[str, ...]:
    """Return the words to execute."""
    if command.shell and command.words:
        return (*state.shell, " ".join(command.words))
    return command.words


def _change(state: State, **changes: Any) -> None:
    state.config = msgspec.structs.replace(state.config, **changes)


def _env(state: State, instruction: say.Env) -> str:
    for pair in instruction.pairs:
        state.config = set_environment(state.config, pair.key, pair.value)
    return "ENV " + " ".join(f"{pair.key}={pair.value}" for pair in instruction.pairs)


def _label(state: State, instruction: say.Label) -> str:
    added = {pair.key: pair.value for pair in instruction.pairs}
    _change(state, labels={**(state.config.labels or {}), **added})
    return "LABEL " + " ".join(f"{pair.key}={pair.value}" for pair in instruction.pairs)


def _user(state: State, instruction: say.User) -> str:
    _change(state, user=instruction.user)
    return f"USER {instruction.user}"


def _cmd(state: State, instruction: say.Cmd) -> str:
    words = command_line(state, instruction.command)
    _change(state, cmd=list(words) or None, args_escaped=True)
    state.cmd_is_set = True
    return f"CMD {_quoted(words)}"


def _entrypoint(state: State, instruction: say.Entrypoint) -> str:
    words = command_line(state, instruction.command)
    _change(state, entrypoint=list(words) or None)
    if not state.cmd_is_set:
        _change(state, cmd=None)
    return f"ENTRYPOINT {_quoted(words)}"


def _expose(state: State, instruction: say.Expose) -> str:
    ports = sorted(set(exposed_ports(instruction.ports)))
    known = dict(state.config.exposed_ports or {})
    _change(state, exposed_ports={**known, **{port: {} for port in ports}})
    return f"EXPOSE [{' '.join(ports)}]"


def _volume(state: State, instruction: say.Volume) -> str:
    known = dict(state.config.volumes or {})
    _change(state, volumes={**known, **{path: {} for path in instruction.paths}})
    return "VOLUME [" + " ".join(instruction.paths) + "]"


def _health(state: State, instruction: say.Healthcheck) -> str:
    asked = instruction.health
    _change(
        state,
        healthcheck=oci.Healthcheck(
            test=list(asked.test),
            interval=asked.interval,
            timeout=asked.timeout,
            start_period=asked.start_period,
            start_interval=asked.start_interval,
            retries=asked.retries,
        ),
    )
    times = {
        "Interval": asked.interval,
        "Timeout": asked.timeout,
        "StartPeriod": asked.start_period,
        "StartInterval": asked.start_interval,
    }
    spans = " ".join(f"{name}:{go_duration(span)}" for name, span in times.items())
    return f"HEALTHCHECK {{Test:[{' '.join(asked.test)}] {spans} Retries:{asked.retries}}}"


def _shell(state: State, instruction: say.Shell) -> str:
    _change(state, shell=list(instruction.words))
    return "SHELL [" + " ".join(instruction.words) + "]"


def _stop(state: State, instruction: say.StopSignal) -> str:
    _change(state, stop_signal=instruction.signal)
    return f"STOPSIGNAL {instruction.signal}"


def _onbuild(state: State, instruction: say.OnBuild) -> str:
    _change(state, on_build=[*(state.config.on_build or ()), instruction.expression])
    return ""  # BuildKit's history omits it


def _maintainer(state: State, instruction: say.Maintainer) -> str:
    state.author = instruction.name
    return f"MAINTAINER {instruction.name}"


_CHANGES: dict[type, Callable[[State, Any], str]] = {
    say.Env: _env,
    say.Label: _label,
    say.User: _user,
    say.Cmd: _cmd,
    say.Entrypoint: _entrypoint,
    say.Expose: _expose,
    say.Volume: _volume,
    say.Healthcheck: _health,
    say.Shell: _shell,
    say.StopSignal: _stop,
    say.OnBuild: _onbuild,
    say.Maintainer: _maintainer,
}


def _quoted(words: tuple[str, ...]) -> str:
    """Return a list of strings in the format of Go's %q."""
    return "[" + " ".join(quoted(word) for word in words) + "]"


def go_duration(nanoseconds: int) -> str:
    """Return a duration in Go's format.

    >>> go_duration(0), go_duration(90 * 10**9), go_duration(1500000)
    ('0s', '1m30s', '1.5ms')
    """
    if nanoseconds < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if nanoseconds >= size:
                return f"{nanoseconds / size:g}{unit}"
        return "0s"
    text, left = "", nanoseconds
    for unit, size in _UNITS:
        if text or left >= size:
            text += f"{left // size}{unit}"
            left %= size
    whole, fraction = divmod(left, 10**9)
    digits = f".{fraction:09d}".rstrip("0").rstrip(".")
    return f"{text}{whole}{digits}s"
