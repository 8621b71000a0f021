# SPDX-License-Identifier: MIT
"""Changes of ``commit --change`` and ``import --change``, with variables of the image expanded.

Rules: a variable means what the environment of the image says before the instruction, as in a
Dockerfile. Commands and health checks keep theirs for the shell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.dockerfile.expand import expand
from sandbox.dockerfile.words import quoted_words
from sandbox.models.config_changes import apply_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sandbox.models.oci import RunConfig

_EXPANDED = ("ENV", "EXPOSE", "LABEL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")


def applied(config: RunConfig, instructions: Iterable[str]) -> RunConfig:
    """Return *config* after *instructions*, applied in order. Raises UsageError."""
    for instruction in instructions:
        env = dict(item.partition("=")[::2] for item in config.env or [])
        config = apply_changes(config, [expanded(instruction, env)])
    return config


def expanded(instruction: str, env: Mapping[str, str]) -> str:
    """Return an instruction with its variables replaced. Raises UsageError.

    >>> expanded("ENV PATH=/x:$PATH", {"PATH": "/bin"})
    'ENV "PATH=/x:/bin"'
    >>> expanded("CMD echo $PATH", {"PATH": "/bin"})
    'CMD echo $PATH'
    """
    word, _, rest = instruction.strip().partition(" ")
    rest = rest.strip()
    if word.upper() not in _EXPANDED or "$" not in rest or rest.startswith("["):
        return instruction
    words = quoted_words(rest, "\\")
    if word.upper() in ("ENV", "LABEL") and "=" not in words[0]:
        name, _, value = rest.partition(" ")  # the old form: ENV name value
        return f"{word} {name} {expand(value.strip(), env)}"
    return f"{word} " + " ".join(_quoted(expand(item, env)) for item in words)


def _quoted(text: str) -> str:
    """Return a word that `config_changes.split_words` reads as *text*."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
