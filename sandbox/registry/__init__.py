# SPDX-License-Identifier: MIT
"""Clients of image registries: the distribution protocol, credentials and HTTP."""
