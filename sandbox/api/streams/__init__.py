# SPDX-License-Identifier: MIT
"""Connections that carry bytes instead of HTTP."""
