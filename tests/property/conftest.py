# SPDX-License-Identifier: MIT
"""With SANDBOX_FUZZ_SECONDS (`make fuzz SECONDS=...`) every property test runs for that long.

How it works: Hypothesis can only limit the number of examples, so the test is repeated with
other examples until the time is over.
"""

from __future__ import annotations

import os
import time

import hypothesis
import pytest

SECONDS = float(os.environ.get("SANDBOX_FUZZ_SECONDS", "0"))


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Call a property test again and again until the time is over."""
    if not SECONDS or not hypothesis.is_hypothesis_test(pyfuncitem.obj):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        pyfuncitem.obj(**arguments)
    return True
