#!/bin/bash
# SPDX-License-Identifier: MIT
#
# find-python.sh - print a Python >= 3.11 that every user of this machine may execute.
#
# The system's own comes first: one that lies in somebody's home is of no use to the unprivileged
# user whom root runs the tests as. $PYTHON overrides.
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
