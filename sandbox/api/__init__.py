# SPDX-License-Identifier: MIT
"""The Docker Engine API over a unix socket (docs/api.md): a thin skin over `Engine`.

``server`` listens, and ``dispatch`` finds the handler that ``routes`` names for a request. A
handler parses the request, calls one verb of the engine in a thread (``thread_pools``), and
shows the result.
"""
