# SPDX-License-Identifier: MIT
"""Networks of tests: machines of their own, peers, ports, and containers that answer."""
