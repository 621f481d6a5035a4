#!/bin/sh
# cmake for the build of libopus: the system's, or the one scripts/setup.sh fetched.
if command -v cmake >/dev/null 2>&1; then exec cmake "$@"; fi
fetched="$(dirname "$0")/../tools/bin/cmake"
[ -x "$fetched" ] || { echo "libopus is built with cmake: install cmake, or run scripts/setup.sh to have one fetched (needs python3 with pip)" >&2; exit 127; }
exec "$fetched" "$@"
