#!/usr/bin/env bash
# Puts what a build needs into the project folder: cmake where the system has none (./tools, for libopus), and for `qbh-torch` a CPU-only
# libtorch (./libtorch).
#
# Both come from PyPI: wheels are fetched by exact version and checked against their SHA-256; of torch's the CPU libraries and headers
# are kept (about 400 MB), the rest is thrown away. What is fetched needs python3 with pip; libtorch a C compiler too. Does nothing when
# all is there. A user with a libtorch of their own (CUDA too) sets LIBTORCH and needs no ./libtorch.
#
#   scripts/setup.sh                              what `qbh` needs on this machine
#   scripts/setup.sh --torch                      what `qbh-torch` needs on this machine
#   scripts/setup.sh --browser                    Chromium with its driver, for the tests of the page of `qbh serve` (Debian, as root)
#   scripts/setup.sh --platform NAME DIR          fetches, checks and unpacks what NAME needs into DIR, without making it ready to link
#
# NAME is linux-x86_64, linux-aarch64 or macos-arm64. The first is built and tested; of the others the fetching and unpacking is tested on the
# first, and that the libraries kept are all that libtorch_cpu asks for, but nothing has been linked to them.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH=2.11.0
CMAKE=3.31.6

this_platform() {
  case "$(uname -sm)" in
  "Linux x86_64") echo linux-x86_64 ;;
  "Linux aarch64") echo linux-aarch64 ;;
  "Darwin arm64") echo macos-arm64 ;;
  *) echo unknown ;;
  esac
}

# What is fetched for a platform: tags and hashes of the wheels, and the libraries that are kept.
choose_wheels() {
  case "$1" in
  linux-x86_64)
    TORCH_TAG=manylinux_2_28_x86_64
    TORCH_SHA256=0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756
    CMAKE_TAG=manylinux_2_17_x86_64
    CMAKE_SHA256=1c8b05df0602365da91ee6a3336fe57525b137706c4ab5675498f662ae1dbcec
    LIBRARIES="libc10.so libtorch_cpu.so libgomp.so.1" ;;
  linux-aarch64)
    TORCH_TAG=manylinux_2_28_aarch64
    TORCH_SHA256=f99924682ef0aa6a4ab3b1b76f40dc6e273fca09f367d15a524266db100a723f
    CMAKE_TAG=manylinux_2_17_aarch64
    CMAKE_SHA256=42d9883b8958da285d53d5f69d40d9650c2d1bcf922d82b3ebdceb2b3a7d4521
    LIBRARIES="libc10.so libtorch_cpu.so libgomp.so.1 libgfortran.so.5 libarm_compute.so libarm_compute_graph.so
      libnvpl_blas_core.so.0 libnvpl_blas_lp64_gomp.so.0 libnvpl_lapack_core.so.0 libnvpl_lapack_lp64_gomp.so.0" ;;
  macos-arm64)
    TORCH_TAG=macosx_11_0_arm64
    TORCH_SHA256=4b5866312ee6e52ea625cd211dcb97d6a2cdc1131a5f15cc0d87eec948f6dd34
    CMAKE_TAG=macosx_10_10_universal2
    CMAKE_SHA256=da9d4fd9abd571fd016ddb27da0428b10277010b23bb21e3678f8b9e96e1686e
    LIBRARIES="libc10.dylib libtorch.dylib libtorch_cpu.dylib libomp.dylib" ;;
  *) return 1 ;;
  esac
}

# fetch FOLDER REQUIREMENT SHA256 TAG [PIP OPTIONS...]: a wheel into the folder, and its path.
fetch() {
  local folder=$1 requirement=$2 sha256=$3 tag=$4; shift 4
  python3 -m pip download "$requirement" --no-deps --no-cache-dir --quiet --disable-pip-version-check \
    --only-binary=:all: --platform "$tag" --dest "$folder" "$@" >&2
  local wheel; wheel=$(ls "$folder/${requirement%%==*}"-*.whl)
  python3 - "$wheel" "$sha256" >&2 <<'PY'
import hashlib, sys
wheel, expected = sys.argv[1:]
digest = hashlib.sha256()
with open(wheel, "rb") as file:
    while block := file.read(1 << 20):
        digest.update(block)
actual = digest.hexdigest()
if actual != expected:
    sys.exit(f"setup: {wheel} has SHA-256 {actual}, not {expected}: fetched damaged, or not what it was; try again")
PY
  echo "$wheel"
}

# unpack_cmake WHEEL TOOLS
unpack_cmake() {
  rm -rf "$2.part"; mkdir -p "$2.part/wheel" "$2.part/bin"
  python3 -m zipfile -e "$1" "$2.part/wheel"
  mv "$2.part/wheel/cmake/data" "$2.part/cmake"
  rm -rf "$2.part/wheel"
  chmod +x "$2.part/cmake/bin/"*
  ln -s ../cmake/bin/cmake "$2.part/bin/cmake"
  rm -rf "$2"; mv "$2.part" "$2"
}

# unpack_torch WHEEL FOLDER: the headers, the libraries that are kept, the licence.
unpack_torch() {
  python3 - "$1" "$2" $LIBRARIES <<'PY'
import os, shutil, sys, zipfile
wheel, dest, *wanted = sys.argv[1:]
missing = set(wanted)
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if name.endswith("/"):
            continue
        if name.startswith("torch/include/") or (name.startswith("torch/lib/") and os.path.basename(name) in wanted):
            out = os.path.join(dest, name[len("torch/"):])
            missing.discard(os.path.basename(name))
        elif name.endswith("dist-info/licenses/LICENSE") or name.endswith("dist-info/LICENSE"):
            out = os.path.join(dest, "LICENSE")
        else:
            continue
        os.makedirs(os.path.dirname(out), exist_ok=True)
        with z.open(name) as src, open(out, "wb") as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
if missing:
    sys.exit(f"setup: {wheel} lacks {', '.join(sorted(missing))}")
PY
}

# ready_for_linux FOLDER WORK: smaller, and without need of CUDA. macOS needs nothing of it.
ready_for_linux() {
  local lib=$1/lib work=$2 so symbols
  strip --strip-unneeded "$lib/libtorch_cpu.so" "$lib/libc10.so"
  # The wheel's libtorch_cpu is linked to two CUDA libraries for its profiler only. Stand-ins answer "no device" (100).
  for so in $(readelf -d "$lib/libtorch_cpu.so" | sed -n 's/.*NEEDED.*\[\(lib\(cudart\|cupti\)[^]]*\)\].*/\1/p'); do
    symbols=$(nm -D --undefined-only "$lib/libtorch_cpu.so" | sed -n "s/.* U \([A-Za-z0-9_]*\)@$so\$/\1/p")
    for s in $symbols; do echo "int $s(void) { return 100; }"; done > "$work/stand_in.c"
    { echo "$so {"; echo "  global:"; for s in $symbols; do echo "    $s;"; done; echo "  local: *;"; echo "};"; } > "$work/stand_in.map"
    cc -shared -fPIC -O1 -o "$lib/$so" "$work/stand_in.c" -Wl,-soname,"$so" -Wl,--version-script,"$work/stand_in.map"
  done
  # torch-sys links -ltorch; the wheel's own libtorch.so would drag the CUDA library in.
  echo 'int qbh_libtorch_stand_in;' > "$work/torch.c"
  cc -shared -fPIC -o "$lib/libtorch.so" "$work/torch.c" -Wl,-soname,libtorch.so
}

# The libraries do not depend on the Python tag; a fixed one lets any host Python fetch them.
fetch_torch() { fetch "$1" "torch==$TORCH" "$TORCH_SHA256" "$TORCH_TAG" --implementation cp --python-version 3.12 --abi cp312; }
fetch_cmake() { fetch "$1" "cmake==$CMAKE" "$CMAKE_SHA256" "$CMAKE_TAG"; }

install_cmake() {
  if command -v cmake >/dev/null || [ -x tools/bin/cmake ]; then return; fi
  if ! choose_wheels "$(this_platform)"; then
    echo "setup: no ready cmake for $(uname -sm): install cmake" >&2; exit 1
  fi
  if ! command -v python3 >/dev/null; then
    echo "setup: libopus is built with cmake: install cmake, or python3 with pip to have one fetched" >&2; exit 1
  fi
  echo "setup: fetching cmake $CMAKE" >&2
  local wheel; wheel=$(fetch_cmake "$work")
  unpack_cmake "$wheel" tools
}

install_libtorch() {
  if [ -n "${LIBTORCH:-}" ]; then echo "setup: using LIBTORCH=$LIBTORCH" >&2; return; fi
  if [ "$(cat libtorch/build-version 2>/dev/null)" = "$TORCH" ]; then return; fi
  if ! choose_wheels "$(this_platform)"; then
    echo "setup: no ready libtorch for $(uname -sm): install libtorch $TORCH and point LIBTORCH to it" >&2; exit 1
  fi
  echo "setup: fetching libtorch $TORCH (up to 530 MB)" >&2
  local wheel; wheel=$(fetch_torch "$work")
  rm -rf libtorch.part; mkdir -p libtorch.part
  unpack_torch "$wheel" libtorch.part
  case "$(this_platform)" in linux-*) ready_for_linux libtorch.part "$work" ;; esac
  echo "$TORCH" > libtorch.part/build-version
  rm -rf libtorch; mv libtorch.part libtorch
}

work=$(mktemp -d "${TMPDIR:-/tmp}/qbh-setup.XXXXXX")
trap 'rm -rf "$work"' EXIT
# Chromium and its driver, for the tests of the page; from the system's packages, as they are too large to be fetched on the side.
install_browser() {
  command -v chromedriver >/dev/null && return
  command -v apt-get >/dev/null || { echo "setup: install Chromium and chromedriver for the tests of the page" >&2; return; }
  [ "$(id -u)" = 0 ] || { echo "setup: as root: apt-get install chromium chromium-driver" >&2; exit 2; }
  apt-get update -q && apt-get install -y -q --no-install-recommends chromium chromium-driver
}

case "${1:-}" in
"")
  install_cmake ;;
--torch)
  install_cmake
  install_libtorch ;;
--browser)
  install_browser ;;
--platform)
  [ $# = 3 ] && choose_wheels "$2" || { echo "usage: $0 [--platform linux-x86_64|linux-aarch64|macos-arm64 DIR]" >&2; exit 2; }
  mkdir -p "$3/libtorch"
  wheel=$(fetch_cmake "$work"); unpack_cmake "$wheel" "$3/tools"
  wheel=$(fetch_torch "$work"); unpack_torch "$wheel" "$3/libtorch"
  echo "setup: $3 holds libtorch $TORCH and cmake $CMAKE for $2" >&2 ;;
*)
  echo "usage: $0 [--torch | --browser | --platform linux-x86_64|linux-aarch64|macos-arm64 DIR]" >&2; exit 2 ;;
esac
