# SPDX-License-Identifier: MIT
"""The key of a step: steps with equal keys have equal layers. Pure.

Rules: a key covers the layers below, the instruction, and every input that can change its
result. It never covers a secret, the content of a cache mount, or the time of a file.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from sandbox.models.digest import chain_ids

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.models.digest import Digest

_VERSION = 1


def key_of(kind: str, layers: Iterable[Digest], epoch: int | None, **facts: Any) -> str:
    """Return the key of a step on top of *layers*."""
    chain = chain_ids(layers)
    document = [_VERSION, kind, chain[-1] if chain else "", epoch, facts]
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
