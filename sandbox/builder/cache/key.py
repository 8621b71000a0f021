# SPDX-License-Identifier: MIT
"""What identifies the result of a step: equal keys, equal layers. Pure.

Rules: a key holds the layers below, what is done, and all that can make a difference to
it; never a secret, the content of a cache mount, or a time of a file.
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
