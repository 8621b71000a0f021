# SPDX-License-Identifier: MIT
"""A filter program from the rules of a seccomp profile.

How it works: a tree of comparisons finds the number of the call, in the logarithm of the number
of rules. A leaf answers, or compares arguments, half by half, since BPF has 32 bits.

Rules: pure, but for the table of names. The first rule whose conditions hold answers; a rule
without conditions answers before all others.

Must not know: what stands before the program (entry/profile_filter.c).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.models.record import Record
from sandbox.native.syscall_names import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.runtime.seccomp.profile import Condition, Profile, Rule

LONGEST = 3584  # SB_MAX_PROFILE
_LOAD, _AND, _RETURN, _JUMP = 0x20, 0x54, 0x06, 0x05
_EQUAL, _ABOVE, _AT_LEAST = 0x15, 0x25, 0x35
_ARGS = 16  # offset in struct seccomp_data
_LOW = 0xFFFFFFFF


class Step(Record, frozen=True):
    """One instruction (struct sock_filter)."""

    code: int
    k: int
    jt: int = 0
    jf: int = 0


def compile_profile(profile: Profile) -> bytes:
    """Return the program: an array of struct sock_filter. Raises UsageError if it is too long."""
    starts = _runs(profile)
    program = [Step(_LOAD, 0), *_tree(starts)]
    if len(program) > LONGEST:
        raise UsageError(
            f"the seccomp profile has too many rules: {len(program)} instructions of {LONGEST}"
        )
    return b"".join(struct.pack("=HBBI", s.code, s.jt, s.jf, s.k) for s in program)


def _runs(profile: Profile) -> list[tuple[int, tuple[Step, ...]]]:
    """Return the first number of each run of calls with one answer, and the run's leaf."""
    rules: dict[int, list[Rule]] = {}
    for rule in profile.rules:
        for name in rule.names:
            number = number_of(name)
            if number is not None:
                rules.setdefault(number, []).append(rule)
    default: tuple[Step, ...] = (Step(_RETURN, profile.default),)
    found = [(0, default)]
    for number in sorted(rules):
        leaf = _leaf(rules[number], profile.default)
        for start, steps in ((number, leaf), (number + 1, default)):
            if found[-1][0] == start:
                found.pop()
            if not found or found[-1][1] != steps:
                found.append((start, steps))
    return found


def _leaf(rules: Sequence[Rule], default: int) -> tuple[Step, ...]:
    always = [rule.answer for rule in rules if not rule.conditions]
    if always:
        return (Step(_RETURN, always[0]),)
    steps: list[Step] = []
    for rule in rules:
        steps += _rule(rule)
    return (*steps, Step(_RETURN, default))


def _rule(rule: Rule) -> list[Step]:
    """Return the steps that answer if all conditions hold, and otherwise go on behind them."""
    tests: list[Callable[[int], list[Step]]] = [_TESTS[c.operator](c) for c in rule.conditions]
    steps = [Step(_RETURN, rule.answer)]
    for test in reversed(tests):
        steps = [*test(len(steps)), *steps]
    return steps


# Each test returns its steps, given the number of steps behind it that a failure leaps over. A
# success goes on behind the test.


def _words(condition: Condition, value: int) -> tuple[int, int, int, int]:
    low = _ARGS + 8 * condition.index
    return low, low + 4, value & _LOW, value >> 32


def _equal(condition: Condition) -> Callable[[int], list[Step]]:
    low, high, low_value, high_value = _words(condition, condition.value)
    return lambda rest: [
        Step(_LOAD, high),
        Step(_EQUAL, high_value, 0, rest + 2),
        Step(_LOAD, low),
        Step(_EQUAL, low_value, 0, rest),
    ]


def _masked(condition: Condition) -> Callable[[int], list[Step]]:
    low, high, low_mask, high_mask = _words(condition, condition.value)
    wanted = condition.second
    return lambda rest: [
        Step(_LOAD, high),
        Step(_AND, high_mask),
        Step(_EQUAL, wanted >> 32, 0, rest + 3),
        Step(_LOAD, low),
        Step(_AND, low_mask),
        Step(_EQUAL, wanted & _LOW, 0, rest),
    ]


def _unequal(condition: Condition) -> Callable[[int], list[Step]]:
    low, high, low_value, high_value = _words(condition, condition.value)
    return lambda rest: [
        Step(_LOAD, high),
        Step(_EQUAL, high_value, 0, 2),
        Step(_LOAD, low),
        Step(_EQUAL, low_value, rest, 0),
    ]


def _greater(condition: Condition, last: int) -> Callable[[int], list[Step]]:
    """Compare the high halves, and where they are equal the low ones by *last*."""
    low, high, low_value, high_value = _words(condition, condition.value)
    return lambda rest: [
        Step(_LOAD, high),
        Step(_ABOVE, high_value, 3, 0),
        Step(_EQUAL, high_value, 0, rest + 2),
        Step(_LOAD, low),
        Step(last, low_value, 0, rest),
    ]


def _less(condition: Condition, last: int) -> Callable[[int], list[Step]]:
    """Fail where `_greater` succeeds."""
    low, high, low_value, high_value = _words(condition, condition.value)
    return lambda rest: [
        Step(_LOAD, high),
        Step(_ABOVE, high_value, rest + 3, 0),
        Step(_EQUAL, high_value, 0, 2),
        Step(_LOAD, low),
        Step(last, low_value, rest, 0),
    ]


_TESTS: dict[str, Callable[[Condition], Callable[[int], list[Step]]]] = {
    "SCMP_CMP_EQ": _equal,
    "SCMP_CMP_NE": _unequal,
    "SCMP_CMP_MASKED_EQ": _masked,
    "SCMP_CMP_GT": lambda condition: _greater(condition, _ABOVE),
    "SCMP_CMP_GE": lambda condition: _greater(condition, _AT_LEAST),
    "SCMP_CMP_LT": lambda condition: _less(condition, _AT_LEAST),
    "SCMP_CMP_LE": lambda condition: _less(condition, _ABOVE),
}


def _tree(runs: Sequence[tuple[int, tuple[Step, ...]]]) -> list[Step]:
    """Return the steps that lead to the leaf of the number in the accumulator."""
    if len(runs) == 1:
        return list(runs[0][1])
    half = len(runs) // 2
    below, above = _tree(runs[:half]), _tree(runs[half:])
    # A conditional jump reaches 255 steps only.
    return [Step(_AT_LEAST, runs[half][0], 0, 1), Step(_JUMP, len(below)), *below, *above]
