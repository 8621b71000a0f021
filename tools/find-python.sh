#!/bin/bash
# SPDX-License-Identifier: MIT
#
# find-python.sh - print the path of a Python >= 3.11 that every user may execute.
#
# The system's Python comes first: the tests of root run as another user, who cannot execute a Python
# in root's home. $PYTHON overrides.
set -euo pipefail

for python in ${PYTHON-} /usr/bin/python3 python3 python3.{14,13,12,11}; do
	path=$(command -v "$python") || continue
	if "$path" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' 2>/dev/null; then
		echo "$path"
		exit 0
	fi
done
echo "no Python 3.11 or newer found (set PYTHON=)" >&2
exit 1
