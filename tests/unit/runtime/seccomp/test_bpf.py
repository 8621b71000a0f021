# SPDX-License-Identifier: MIT
"""The filter of a profile answers as its rules say."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import UsageError
from sandbox.native.syscall_names import number_of
from sandbox.runtime.seccomp.bpf import LONGEST, compile_profile
from sandbox.runtime.seccomp.profile import OPERATORS, RET_ALLOW, Condition, Profile, Rule

DEFAULT = 0x00050001
NAMES = ("read", "write", "openat", "clone", "personality", "mseal", "no_such_call")
EDGES = (0, 1, 2, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**63, 2**64 - 1)
Call = tuple[int, tuple[int, ...]]


def run(program: bytes, call: Call) -> int:
    """Run the program as the kernel does, on struct seccomp_data."""
    number, args = call
    data = struct.pack("=IIQ6Q", number, 0, 0, *args)
    steps = list(struct.iter_unpack("=HBBI", program))
    at = accumulator = 0
    while True:
        code, jt, jf, k = steps[at]
        at += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, k)
            case 0x54:
                accumulator &= k
            case 0x05:
                at += k
            case 0x15:
                at += jt if accumulator == k else jf
            case 0x25:
                at += jt if accumulator > k else jf
            case 0x35:
                at += jt if accumulator >= k else jf
            case 0x06:
                return int(k)
            case _:
                raise AssertionError(code)


def holds(condition: Condition, args: tuple[int, ...]) -> bool:
    value, wanted = args[condition.index], condition.value
    return {
        "SCMP_CMP_NE": value != wanted,
        "SCMP_CMP_LT": value < wanted,
        "SCMP_CMP_LE": value <= wanted,
        "SCMP_CMP_EQ": value == wanted,
        "SCMP_CMP_GE": value >= wanted,
        "SCMP_CMP_GT": value > wanted,
        "SCMP_CMP_MASKED_EQ": value & wanted == condition.second,
    }[condition.operator]


def answer(profile: Profile, call: Call) -> int:
    """Return what the rules say, without a program."""
    number, args = call
    mine = [rule for rule in profile.rules if number in [number_of(name) for name in rule.names]]
    for rule in sorted(mine, key=lambda rule: bool(rule.conditions)):
        if all(holds(condition, args) for condition in rule.conditions):
            return rule.answer
    return profile.default


words = st.sampled_from(EDGES) | st.integers(0, 2**64 - 1)
conditions = st.builds(
    Condition, st.integers(0, 5), st.sampled_from(sorted(OPERATORS)), words, words
)
rules = st.builds(
    Rule,
    st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
    st.sampled_from([RET_ALLOW, 0x00050026, 0x80000000]),
    st.lists(conditions, max_size=6, unique_by=lambda item: item.index).map(tuple),
)
profiles = st.builds(Profile, st.just(DEFAULT), st.lists(rules, max_size=8).map(tuple))
numbers = st.sampled_from([number_of(name) for name in NAMES[:-1]] + [2, 463, 0x40000000])
calls = st.tuples(numbers, st.tuples(*[words] * 6))


@settings(max_examples=300, deadline=None)
@given(profiles, st.lists(calls, min_size=1, max_size=10))
def test_the_program_answers_every_call_as_the_rules_say(
    profile: Profile, asked: list[Call]
) -> None:
    program = compile_profile(profile)
    for call in asked:
        assert run(program, call) == answer(profile, call)


@pytest.mark.parametrize("operator", sorted(OPERATORS))
@pytest.mark.parametrize("value", EDGES)
@pytest.mark.parametrize("wanted", EDGES)
def test_each_comparison_is_right_at_the_edges_of_its_halves(
    operator: str, value: int, wanted: int
) -> None:
    condition = Condition(1, operator, wanted, wanted & 0xFFFFFFFF00000001)
    profile = Profile(DEFAULT, (Rule(("clone",), RET_ALLOW, (condition,)),))
    call = (number_of("clone") or 0, (7, value, 7, 7, 7, 7))
    assert run(compile_profile(profile), call) == answer(profile, call)


def test_a_profile_that_lists_each_call_is_short() -> None:
    every = tuple(
        Rule((name,), RET_ALLOW, ()) for name in ("read", "open", "stat", "poll", "mmap", "brk")
    )
    assert len(compile_profile(Profile(DEFAULT, every))) < 8 * 60


def test_a_profile_that_the_kernel_would_not_take_is_refused() -> None:
    condition = Condition(0, "SCMP_CMP_EQ", 1, 0)
    many = tuple(Rule(("clone",), RET_ALLOW, (condition,)) for _ in range(LONGEST))
    with pytest.raises(UsageError, match="too many rules"):
        compile_profile(Profile(DEFAULT, many))
