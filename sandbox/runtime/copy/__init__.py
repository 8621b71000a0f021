# SPDX-License-Identifier: MIT
"""Copying files between a container, the host and tar archives."""
