#!/bin/sh
# Install the release that this bundle holds: install.sh FOLDER [BESIDE]. Needs python3 and nothing else; no network.
# BESIDE: an installed release with the same packages. They are taken from it by hard links, and need not be in the
# bundle: seconds instead of a minute on a small host, and no room on its disk.
# The release counts as installed when its file .complete is there; an interrupted installation is begun anew.
set -eu
umask 022 # whatever root's is here: the service has to read it

release=$1
beside=${2:-}
bundle=$(CDPATH='' cd "$(dirname "$0")" && pwd)
cd "$bundle" # toolkit.txt names the toolkit's wheel relative to it
rm -rf "$release"

if [ -n "$beside" ]; then
    uv=$beside/bin/uv
else
    python3 -m zipfile --extract wheels/uv-*.whl uv
    uv=$(echo "$bundle"/uv/*.data/scripts/uv)
    chmod +x "$uv"
fi
uv() { "$uv" --quiet --no-config --offline --cache-dir "$bundle/cache" "$@"; }
install_locked() {
    uv pip install --python "$release/bin/python" --no-index --find-links wheels --no-deps --require-hashes \
        --link-mode hardlink "$@"
}

uv venv --no-project --python /usr/bin/python3 "$release"
code=$(echo "$release"/lib/python*/site-packages)
if [ -n "$beside" ]; then
    cp --archive --link --force "$beside/lib/." "$release/lib"
    ln "$beside/bin/uv" "$release/bin/uv"
    rm -rf "$code"/toolkit "$code"/weather_toolkit-*
    install_locked --requirements toolkit.txt
    code=$code/toolkit
else
    install_locked --requirements packages.txt --requirements toolkit.txt
fi

# Compiled here, once and by root: the service may not write beside its code, and would compile at every start.
# Test suites that libraries ship are never imported.
"$release/bin/python" -m compileall -q -j 0 -x '/tests?/' "$code"
WEATHER_ENV_FILE=/dev/null "$release/bin/weather-tool" settings >/dev/null
cp packages "$release/.complete"
