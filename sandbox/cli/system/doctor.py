# SPDX-License-Identifier: MIT
"""``doctor``: what this machine offers to containers, and what is missing.

Does not know: how the engine finds it out.
"""

from __future__ import annotations

import click

from sandbox.cli.output.format import emit

_MARKS = {"good": "+", "missing": "-", "bad": "!", "irrelevant": " "}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def doctor(*, as_json: bool) -> int:
    """Check what this machine offers to containers, and why it matters.

    "+" works, "-" is missing and costs speed or safety, "!" prevents containers from
    running. The exit code is 1 if there is a "!".
    """
    from sandbox.engine import Engine

    facts = Engine().system.doctor()
    if as_json:
        import msgspec

        emit(msgspec.json.format(msgspec.json.encode(facts)).decode())
    else:
        area = ""
        for fact in facts:
            if fact.area != area:
                area = fact.area
                emit(f"{area}:")
            effect = f" ({fact.effect})" if fact.effect else ""
            emit(f" {_MARKS[fact.verdict]} {fact.name}: {fact.value}{effect}")
    return int(any(fact.verdict == "bad" for fact in facts))
