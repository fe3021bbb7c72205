#!/bin/sh
# Install the release that this bundle holds: install.sh FOLDER [PACKAGES]. Needs python3 and nothing else; no network.
# PACKAGES: a folder for the packages, which releases that need the same ones share: each has links to them. Where they are
# there already they need not be in the bundle, and are not installed again: seconds instead of a minute on a small host,
# and no room on its disk. Who calls this has looked whether they are as they were installed. Without it they are
# installed in FOLDER. If it is FOLDER, they are there already: an image has them as a layer of their own, from a bundle
# whose toolkit.txt is empty.
# The release counts as installed when its file .complete is there, and so do shared packages; an interrupted
# installation is begun anew.
set -eu
umask 022 # whatever root's is here: the service has to read it

release=$1
packages=${2:-}
bundle=$(CDPATH='' cd "$(dirname "$0")" && pwd)
cd "$bundle" # wheels are named relative to it
there=
if [ "$packages" = "$release" ] || { [ -n "$packages" ] && cmp -s packages "$packages/.complete"; }; then there=yes; fi

# Before anything of the bundle is run: its wheels are those that it names by hash, each of them and no other.
python3 -I - $there <<'END'
import hashlib, pathlib, re, sys

named = {}
for lock in ["packages.txt", "toolkit.txt"]:
    if sys.argv[1:] and not pathlib.Path(lock).exists():
        continue  # what is there already need not be in the bundle
    for line in pathlib.Path(lock).read_text("utf-8").splitlines():
        found = re.fullmatch(r"\./(wheels/[^/\s]+\.whl) --hash=sha256:([0-9a-f]{64})", line)
        if not found:
            sys.exit(f"install.sh: {lock} has a line that names no wheel by hash: {line[:80]!r}. Nothing was installed")
        named[found[1]] = found[2]
there = {str(path): path for path in pathlib.Path("wheels").iterdir()}
for name in sorted(named.keys() | there.keys()):
    if name not in named:
        wrong = "is not named by packages.txt or toolkit.txt"
    elif name not in there:
        wrong = "is not in the bundle"
    elif hashlib.sha256(there[name].read_bytes()).hexdigest() != named[name]:
        wrong = "is another file than the one that was locked"
    else:
        continue
    sys.exit(f"install.sh: {name} {wrong}. Nothing was installed")
END

if [ -n "$there" ]; then
    uv=$packages/bin/uv
else
    python3 -I -m zipfile --extract wheels/uv-*.whl uv
    uv=$(echo "$bundle"/uv/*.data/scripts/uv)
    chmod +x "$uv"
fi
# Whatever root's environment says of indexes, hashes and caches.
uv() { env -i PATH="$PATH" "$uv" --quiet --no-config --offline --cache-dir "$bundle/cache" "$@"; }
begin() { # FOLDER
    rm -rf "$1"
    uv venv --no-project --python /usr/bin/python3 "$1"
}
install_locked() { # FOLDER REQUIREMENTS
    uv pip install --python "$1/bin/python" --no-index --no-deps --require-hashes --link-mode hardlink --requirements "$2"
    rm -f "$1/.lock" # the installer's own, which it leaves for everybody to write
}
# Compiled here, once and by root: the service may not write beside its code, and would compile at every start.
# Test suites that libraries ship are never imported.
compile() { # FOLDER CODE
    "$1/bin/python" -I -m compileall -q -j 0 -x '/tests?/' "$2"
}

if [ -z "$there" ]; then
    own=${packages:-$release}
    begin "$own"
    install_locked "$own" packages.txt
    compile "$own" "$own"/lib/python*/site-packages
fi
if [ -n "$packages" ] && [ "$packages" != "$release" ]; then
    [ -n "$there" ] || cp packages "$packages/.complete"
    begin "$release"
    ln -s "$packages/bin/uv" "$release/bin/uv" # by which it is also known whose packages the release has
    site=$(echo "$release"/lib/python*/site-packages)
    for one in "$packages"/lib/python*/site-packages/*; do
        [ -e "$site/${one##*/}" ] || ln -s "$one" "$site"
    done
fi
[ -s toolkit.txt ] || exit 0

install_locked "$release" toolkit.txt
compile "$release" "$release"/lib/python*/site-packages/toolkit
# Isolated: it imports nothing that lies beside it, and takes nothing from variables.
sed -i '1s|/bin/python$|/bin/python -I|' "$release/bin/weather-tool"
WEATHER_ENV_FILE=/dev/null "$release/bin/weather-tool" settings >/dev/null
cp packages "$release/.complete"
