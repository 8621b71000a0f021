# SPDX-License-Identifier: MIT
"""The commands about the store, the machine and the server."""
