#!/bin/sh
# cmake for the build of libopus: the system's, or the one scripts/setup.sh fetched.
if command -v cmake >/dev/null 2>&1; then exec cmake "$@"; fi
exec "$(dirname "$0")/../tools/bin/cmake" "$@"
