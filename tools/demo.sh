#!/bin/bash
# SPDX-License-Identifier: MIT
#
# demo.sh - the demonstration of `make run`: be root in a container of this machine, and harm nothing.
set -euo pipefail

sandbox=${SANDBOX-$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/sandbox}
[ "$(id -u)" -ne 0 ] || { echo "demo.sh must not run as root" >&2 && exit 1; }

echo "== on the host: I am $(id -u), and /etc is not mine"
before=$(ls -a /usr/share/doc | wc -l)
if touch /etc/sandbox-demo 2>/dev/null; then
	echo "/etc is writable here: this proves nothing" >&2
	exit 1
fi

echo "== in a container of the image \`host\`:"
"$sandbox" run --rm host /bin/sh -euc '
	run() { echo "# $*"; "$@"; }
	run id
	run sh -c "echo written by root in a container > /etc/sandbox-demo"
	run cat /etc/sandbox-demo
	run ls -l /etc/sandbox-demo
	run rm -rf /usr/share/doc
	test ! -e /usr/share/doc
	echo "# ls /usr/share/doc"; ls /usr/share/doc 2>&1 || true
'

echo "== on the host again:"
[ ! -e /etc/sandbox-demo ] || { echo "/etc/sandbox-demo leaked to the host" >&2 && exit 1; }
after=$(ls -a /usr/share/doc | wc -l)
[ "$before" = "$after" ] || { echo "/usr/share/doc changed on the host" >&2 && exit 1; }
echo "/etc/sandbox-demo does not exist; /usr/share/doc has its $after entries"
echo "Your turn: .venv/bin/sandbox run --rm -it host bash"
