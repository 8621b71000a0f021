# SPDX-License-Identifier: MIT
"""The table that maps names and repository digests to images.

Rules: one file, replaced as a whole, under the store's lock. Annotations of fields are objects (see
models/oci).
"""

from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import map_os_errors
from sandbox.models import oci
from sandbox.models.digest import Digest
from sandbox.store.atomic_files import write_atomic

if TYPE_CHECKING:
    from sandbox.models.reference import Reference
    from sandbox.store.layout import Layout


class Tags(msgspec.Struct):
    """Maps full references (names with a tag, names with a digest) to image ids."""

    tags: dict[str, str] = {}
    digests: dict[str, str] = {}

    def find(self, reference: "Reference") -> Digest | None:
        """Return the image that *reference* (by default with the tag latest) refers to."""
        if reference.digest is not None:
            key = f"{reference.name}@{reference.digest}"
            found = self.digests.get(key)
        else:
            found = self.tags.get(str(reference.with_default_tag()))
        return None if found is None else Digest(found)

    def tags_of(self, image_id: Digest) -> list[str]:
        """Return the tagged references of an image, sorted."""
        return sorted(name for name, target in self.tags.items() if target == image_id)

    def digests_of(self, image_id: Digest) -> list[str]:
        """Return the repository digests of an image, sorted."""
        return sorted(name for name, target in self.digests.items() if target == image_id)

    def drop(self, reference: str) -> None:
        """Remove one full reference of either kind."""
        self.tags.pop(reference, None)
        self.digests.pop(reference, None)


def read_tags(layout: "Layout") -> Tags:
    """Return the table merged with those of the site stores; this store's entries win."""
    merged = Tags()
    for store in (*layout.sites, layout):
        tags = read_own_tags(store)
        merged.tags |= tags.tags
        merged.digests |= tags.digests
    return merged


def read_own_tags(layout: "Layout") -> Tags:
    """Return this store's own table, for a change; it is empty if there is none yet."""
    with map_os_errors(f"cannot read {layout.tags}"):
        try:
            raw = layout.tags.read_bytes()
        except FileNotFoundError:
            return Tags()
    return oci.decode(raw, Tags, what=str(layout.tags))


def write_tags(layout: "Layout", tags: Tags) -> None:
    """Replace the table. The caller holds the store's lock."""
    write_atomic(layout.tags, oci.encode(tags), layout=layout)
