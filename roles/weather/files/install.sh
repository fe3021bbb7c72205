#!/bin/sh
# Install the release that this bundle holds: install.sh FOLDER. Needs python3 and nothing else; no network.
# The release counts as installed when its file .complete is there; an interrupted installation is begun anew.
set -eu

release=$1
bundle=$(CDPATH='' cd "$(dirname "$0")" && pwd)
uv() { "$bundle/uv" --quiet --no-config --offline --no-cache "$@"; }

rm -rf "$release"
uv venv --no-project --python /usr/bin/python3 "$release"
cd "$bundle" # requirements.txt names the toolkit's own wheel relative to it
uv pip install --python "$release/bin/python" --no-index --find-links wheels --require-hashes --link-mode copy \
    -r requirements.txt

# Compiled here, once and by root: the service may not write beside its code, and would compile at every start.
# Test suites that libraries ship are never imported.
"$release/bin/python" -m compileall -q -j 0 -x '/tests?/' "$release/lib"
WEATHER_ENV_FILE=/dev/null "$release/bin/weather-tool" settings >/dev/null
touch "$release/.complete"
