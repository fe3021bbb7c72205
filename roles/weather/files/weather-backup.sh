#!/bin/sh
# A backup now, under the name that people know: one line for what was made, exit code 0 if it was verified.
exec /usr/local/bin/weather-tool backup create "$@"
