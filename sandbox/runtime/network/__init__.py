# SPDX-License-Identifier: MIT
"""Networks of containers: addresses, published ports, names and links."""
