#!/bin/sh
# Install the release that this bundle holds: install.sh FOLDER [BESIDE]. Needs python3 and nothing else; no network.
# BESIDE: an installed release with the same packages. They are taken from it by hard links, and need not be in the
# bundle: seconds instead of a minute on a small host, and no room on its disk. If it is FOLDER, they are there already:
# an image has them as a layer of their own, from a bundle whose toolkit.txt is empty.
# The release counts as installed when its file .complete is there; an interrupted installation is begun anew.
set -eu
umask 022 # whatever root's is here: the service has to read it

release=$1
beside=${2:-}
bundle=$(CDPATH='' cd "$(dirname "$0")" && pwd)
cd "$bundle" # wheels are named relative to it

# Before anything of the bundle is run: its wheels are those that it names by hash, each of them and no other.
python3 -I - ${beside:+beside} <<'END'
import hashlib, pathlib, re, sys

named = {}
for lock in ["toolkit.txt"] if sys.argv[1:] else ["packages.txt", "toolkit.txt"]:
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

if [ -n "$beside" ]; then
    uv=$beside/bin/uv
else
    python3 -I -m zipfile --extract wheels/uv-*.whl uv
    uv=$(echo "$bundle"/uv/*.data/scripts/uv)
    chmod +x "$uv"
fi
# Whatever root's environment says of indexes, hashes and caches.
uv() { env -i PATH="$PATH" "$uv" --quiet --no-config --offline --cache-dir "$bundle/cache" "$@"; }
install_locked() {
    uv pip install --python "$release/bin/python" --no-index --no-deps --require-hashes --link-mode hardlink "$@"
}

if [ "$release" != "$beside" ]; then
    rm -rf "$release"
    uv venv --no-project --python /usr/bin/python3 "$release"
    if [ -n "$beside" ]; then
        cp --archive --link --force "$beside/lib/." "$release/lib"
        ln "$beside/bin/uv" "$release/bin/uv"
        rm -rf "$release"/lib/python*/site-packages/toolkit "$release"/lib/python*/site-packages/weather_toolkit-*
    fi
fi
code=$(echo "$release"/lib/python*/site-packages)
if [ -n "$beside" ]; then
    install_locked --requirements toolkit.txt
    code=$code/toolkit
else
    install_locked --requirements packages.txt --requirements toolkit.txt
fi

# Compiled here, once and by root: the service may not write beside its code, and would compile at every start.
# Test suites that libraries ship are never imported.
"$release/bin/python" -I -m compileall -q -j 0 -x '/tests?/' "$code"
rm -f "$release/.lock" # the installer's own, which it leaves for everybody to write
[ -s toolkit.txt ] || exit 0
# Isolated: it imports nothing that lies beside it, and takes nothing from variables.
sed -i '1s|/bin/python$|/bin/python -I|' "$release/bin/weather-tool"
WEATHER_ENV_FILE=/dev/null "$release/bin/weather-tool" settings >/dev/null
cp packages "$release/.complete"
