#!/usr/bin/env bash
# Make sure that Debian packages are installed: tools/need.sh PACKAGE...
set -euo pipefail

missing=()
for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

by_hand="apt-get install --no-install-recommends ${missing[*]}"
if ! command -v apt-get >/dev/null; then
    echo "this is no Debian machine: install the counterparts of ${missing[*]}, then try again" >&2
    exit 1
elif [ "$(id -u)" -ne 0 ]; then
    echo "these Debian packages are missing; run: sudo $by_hand" >&2
    exit 1
fi
echo "installing Debian packages: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# `make test` prepares several things at once, and apt-get update waits for no other. A service that an installation
# starts must not inherit the lock.
exec 9</var/lib/dpkg
flock 9
if ! { apt-get update && apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 9<&-; then
    tail -n 5 "$log" >&2
    echo "the packages could not be installed: mend what apt says above, then try again" >&2
    exit 1
fi
