# SPDX-License-Identifier: MIT
"""Typed facts: references, digests, OCI documents, images. No I/O."""
