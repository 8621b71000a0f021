#!/bin/bash
# SPDX-License-Identifier: MIT
#
# as-user.sh TARGET... - run `make TARGET...` for root, as a throwaway user without privileges.
#
# How it works
#   That user may be unable to write or even to read the checkout. So the tree is copied to a folder under
#   /var/cache, and make runs there with another uid, an empty capability bounding set and no_new_privs.
#   The virtual environment and the objects stay there, so the next run is quick.
# Rules
#   What needs root (the installation of packages, root file systems for tests, a second user) happens before the drop.
#   Nothing is written to the checkout but bench/results.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
uid=${SANDBOX_TEST_UID:-12345}
umask 022

targets=("$@")
needs=test
[ "${targets[*]}" = run ] && needs=run
"$root/tools/system-packages.sh" "$needs"

base=/var/cache/rootless-sandbox/$(printf %s "$root" | cksum | cut -d' ' -f1)
copy=$base/home/tree
install -d -m 755 /var/cache/rootless-sandbox "$base" "$base/fixtures"
install -d -m 755 -o "$uid" -g "$uid" "$base/home" "$copy"
exec 9>"$base/lock"
flock 9

# The files of the project: tracked and new ones, or all files where there is no git checkout.
list_files() {
	cd "$root"
	if ! git -c safe.directory='*' ls-files -z -co --exclude-standard 2>/dev/null; then
		find . -mindepth 1 \( -name .git -o -name .venv -o -path ./build \) -prune -o ! -type d -print0
	fi | while IFS= read -r -d '' file; do
		if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
	done
}
find "$copy" -mindepth 1 -maxdepth 1 ! -name .venv ! -name build ! -name '.*_cache' ! -name .hypothesis \
	-exec rm -rf {} +
list_files | tar -C "$root" --null --no-recursion -T - -c |
	tar -C "$copy" --owner="$uid" --group="$uid" --no-same-owner -x
chown -R -h "$uid:$uid" "$copy"

if [ "$needs" = test ] && [ -x "$root/tests/fixtures/prepare.sh" ]; then
	"$root/tests/fixtures/prepare.sh" "$base/fixtures" 9>&-
fi

echo "dropping root: make ${targets[*]} runs as uid $uid without capabilities, in $copy"
for name in $(compgen -e | grep -E '^(XDG_|PYENV|VIRTUAL_ENV|PYTHON|SUDO_|GIT_|MAKE|MFLAGS)'); do
	unset "$name"
done
# Results name the commit, and the copy has no history.
commit=$(git -c safe.directory='*' -C "$root" describe --always --dirty --abbrev=12 2>/dev/null || true)
status=0
# 9>&-: a process that outlives its test must not hold the lock.
env HOME="$base/home" USER=sandbox-test LOGNAME=sandbox-test SHELL=/bin/sh LANG=C.UTF-8 \
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	SANDBOX_TEST_FIXTURES="$base/fixtures" SANDBOX_COMMIT="$commit" \
	python3 -P "$root/tests/harness/network/second_user.py" "$uid" \
	setpriv --reuid="$uid" --regid="$uid" --clear-groups --bounding-set=-all --inh-caps=-all \
	--ambient-caps=-all --no-new-privs \
	make --no-print-directory -C "$copy" "${targets[@]}" 9>&- || status=$?

if [ "$needs" = test ] && [ -d "$copy/bench/results" ] && [[ " ${targets[*]} " == *" bench "* ]]; then
	install -d "$root/bench/results"
	cp -r --no-preserve=ownership "$copy/bench/results/." "$root/bench/results/"
fi
exit "$status"
