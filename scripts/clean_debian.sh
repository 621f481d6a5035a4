#!/usr/bin/env bash
# Runs qbh where nothing is but the smallest Debian: one file is copied there, and has to find the demo's hum without network and build folder.
# Needs root and debootstrap.
#
#   scripts/clean_debian.sh [PROGRAM [SUITE...]]      default: target/release/qbh bookworm trixie
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/qbh}
suites=("${@:2}"); [ ${#suites[@]} -gt 0 ] || suites=(bookworm trixie)
[ -x "$program" ] || { echo "clean_debian: there is no $program: run make build" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "clean_debian: needs debootstrap (apt install debootstrap)" >&2; exit 2; }
work=$(mktemp -d "${TMPDIR:-/tmp}/qbh-debian.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

for suite in "${suites[@]}"; do
  debootstrap --variant=minbase "$suite" "$work/$suite" >"$work/log" 2>&1 || { tail "$work/log" >&2; exit 2; }
  install -m 755 "$program" "$work/$suite/usr/local/bin/qbh"
  # A network and mounts of its own: no network, and nothing to unmount afterwards.
  unshare --mount --net sh -c "mount -t proc proc '$work/$suite/proc' && exec chroot '$work/$suite' /bin/sh" <<'SH'
set -eu
export HOME=/root
cd /root
echo "== Debian $(cat /etc/debian_version), $(ldd --version | head -n 1)"
ldd /usr/local/bin/qbh
qbh --version
qbh demo
# What needs libtorch says how to get it.
if qbh pitch --device cuda demo/hum.wav -o out 2>said; then exit 1; fi
cat said
grep -q 'make torch' said
SH
  rm -rf --one-file-system "${work:?}/$suite"
done
echo "== qbh runs on each"
