# SPDX-License-Identifier: MIT
"""Registries: the distribution protocol, credentials, and transport."""
