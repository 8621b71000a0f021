# SPDX-License-Identifier: MIT
"""Names of containers: which are valid, random names, and new ids.

Does not know: which names are taken; the caller passes them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Container as AnyContainer

_VALID = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]+")

_ADJECTIVES = """
agile amber ample apt arctic ardent autumn azure bold brave breezy bright brisk
calm candid cheerful clear clever coastal cosmic crisp curious dapper daring
deft eager early earnest easy elegant emerald fabled fair famous fearless fleet
fluent fond frank fresh gallant gentle gifted glad golden graceful grand happy
hardy hearty honest humble ivory jolly jovial keen kind lively loyal lucid lucky
mellow merry mild mindful modest mossy neat nimble noble novel open patient
placid playful plucky polite proud quick quiet rapid ready regal robust rosy
royal sage serene sharp silver smooth snug solar spry stable steady sturdy sunny
swift tender tidy tranquil trusty upbeat valiant vivid warm wise witty zesty
""".split()  # noqa: SIM905 - a list of words reads best as text

# People of file systems, kernels, compilers and the mathematics below them.
_SURNAMES = """
aho allen babbage bachman backus bartik bell boole borg boyce brooks carmack cerf
church codd conway cormack corbato cox curry daley dahl dennis diffie dijkstra
easley engelbart estrin euler feigenbaum feinler floyd gauss gilbert godel goldberg
granville gray hamilton hamming hejlsberg hellman hoare holberton hopper huffman
iverson jacobson johnson joy karp kay kernighan kilburn kleene knuth kahn lamport
lampson leibniz lesk liskov lovelace mauchly mccarthy mcilroy merkle metcalfe
milner minsky morris naur neumann newell noether nygaard ossanna perlis perlman
pike postel rabin ramanujan randell ritchie rivest saltzer shamir shannon
sammet schroeder scott shamos stallman stonebraker strachey tarjan tanenbaum
thompson torvalds turing ullman wilkes wilkinson wing wirth yao zuse
""".split()  # noqa: SIM905 - a list of words reads best as text


def check_name(name: str) -> str:
    """Return *name*, or raise `UsageError` in Docker's words."""
    if _VALID.fullmatch(name) is None:
        raise UsageError(
            f"invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"
        )
    return name


def generate_name(taken: AnyContainer[str]) -> str:
    """Return an ``adjective_surname`` that is not in *taken*."""
    while True:
        number = int.from_bytes(os.urandom(8), "little")
        number, first = divmod(number, len(_ADJECTIVES))
        number, second = divmod(number, len(_SURNAMES))
        name = f"{_ADJECTIVES[first]}_{_SURNAMES[second]}"
        for candidate in (name, f"{name}{number % 1000}"):
            if candidate not in taken:
                return candidate


def generate_id() -> str:
    """Return 64 hexadecimal digits; the first 12 are never all decimal.

    The short form serves as the host name, and a host name of digits only would
    be taken for a number.
    """
    while True:
        container_id = os.urandom(32).hex()
        if not container_id[:12].isdigit():
            return container_id
