# SPDX-License-Identifier: MIT
"""Checks of an expanded instruction that need no image and no files. Pure.

Rules: the messages are BuildKit's. It makes these checks before it builds anything.
"""

from __future__ import annotations

from sandbox.dockerfile import instructions as ins
from sandbox.dockerfile.chmod import new_mode
from sandbox.dockerfile.ports import exposed_ports
from sandbox.dockerfile.remote_sources import is_git, is_url
from sandbox.dockerfile.words import ArgumentError
from sandbox.errors import UsageError
from sandbox.models.signals import parse_signal


def refuse_impossible(instruction: ins.Instruction) -> None:
    """Raise ArgumentError if an expanded instruction can never succeed."""
    match instruction:
        case ins.Transfer():
            _transfer(instruction)
        case ins.Expose(ports=ports):
            exposed_ports(ports)
        case ins.StopSignal(signal=signal):
            try:
                parse_signal(signal)
            except UsageError:
                raise ArgumentError(f"invalid signal: {signal}") from None


def _transfer(instruction: ins.Transfer) -> None:
    if instruction.chmod:
        new_mode(instruction.chmod, 0, False)
    if isinstance(instruction, ins.Add):
        _checksum(instruction)
        return
    for source in instruction.sources:
        if is_git(source):
            raise ArgumentError("source can't be a git ref for COPY")
        if is_url(source):
            raise ArgumentError("source can't be a URL for COPY")


def _checksum(instruction: ins.Add) -> None:
    if not instruction.checksum:
        return
    if len(instruction.sources) != 1:
        raise ArgumentError("checksum can't be specified for multiple sources")
    if not (is_git(instruction.sources[0]) or is_url(instruction.sources[0])):
        raise ArgumentError("checksum requires HTTP(S) or Git sources")
