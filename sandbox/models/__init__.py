# SPDX-License-Identifier: MIT
"""Typed values: references, digests, OCI documents, records of containers. No I/O."""
