#!/usr/bin/env bash
# Puts what `cargo build` needs into the project folder: a CPU-only libtorch (./libtorch) and cmake (./tools, for libopus).
#
# Both come from PyPI: a torch wheel is fetched by exact version and SHA-256, its CPU libraries and headers are kept
# (about 400 MB), the rest is thrown away. Needs python3 with pip, and a C compiler. Does nothing when all is there.
# A user with a libtorch of their own (CUDA too) sets LIBTORCH and needs no ./libtorch.
set -euo pipefail
cd "$(dirname "$0")/.."

TORCH=2.11.0
TORCH_SHA256=0f68f4ac6d95d12e896c3b7a912b5871619542ec54d3649cf48cc1edd4dd2756
CMAKE=3.31.6

fetch() { # fetch DEST REQUIREMENT [PIP OPTIONS...]
  local dest=$1 requirement=$2; shift 2
  python3 -m pip download "$requirement" --no-deps --no-cache-dir --quiet --disable-pip-version-check \
    --only-binary=:all: --dest "$dest" "$@"
}

install_cmake() {
  if command -v cmake >/dev/null || [ -x tools/bin/cmake ]; then return; fi
  echo "setup: fetching cmake $CMAKE" >&2
  rm -rf tools.part
  python3 -m pip install --quiet --no-deps --no-cache-dir --disable-pip-version-check --root-user-action=ignore --target tools.part "cmake==$CMAKE"
  rm -rf tools; mkdir -p tools/bin
  mv tools.part/cmake/data tools/cmake
  ln -s ../cmake/bin/cmake tools/bin/cmake
  rm -rf tools.part
}

install_libtorch() {
  if [ -n "${LIBTORCH:-}" ]; then echo "setup: using LIBTORCH=$LIBTORCH" >&2; return; fi
  if [ "$(cat libtorch/build-version 2>/dev/null)" = "$TORCH" ]; then return; fi
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "setup: no ready libtorch for $(uname -sm): install libtorch $TORCH and point LIBTORCH to it" >&2; exit 1
  fi
  work=$(mktemp -d "${TMPDIR:-/tmp}/libtorch.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  echo "setup: fetching libtorch $TORCH (530 MB)" >&2
  # The libraries do not depend on the Python tag; a fixed one lets any host Python fetch them.
  fetch "$work" "torch==$TORCH" --implementation cp --python-version 3.12 --abi cp312 --platform manylinux_2_28_x86_64
  local wheel; wheel=$(ls "$work"/torch-*.whl)
  echo "$TORCH_SHA256  $wheel" | sha256sum --check --quiet
  rm -rf libtorch.part; mkdir -p libtorch.part/lib
  python3 - "$wheel" libtorch.part <<'PY'
import os, shutil, sys, zipfile
wheel, dest = sys.argv[1:]
wanted = {"libc10.so", "libtorch_cpu.so", "libgomp.so.1", "libgfortran.so.5"}
with zipfile.ZipFile(wheel) as z:
    for name in z.namelist():
        if name.endswith("/"):
            continue
        if name.startswith("torch/include/") or (name.startswith("torch/lib/") and os.path.basename(name) in wanted):
            out = os.path.join(dest, name[len("torch/"):])
        elif name.endswith("dist-info/licenses/LICENSE") or name.endswith("dist-info/LICENSE"):
            out = os.path.join(dest, "LICENSE")
        else:
            continue
        os.makedirs(os.path.dirname(out), exist_ok=True)
        with z.open(name) as src, open(out, "wb") as dst:
            shutil.copyfileobj(src, dst, 1 << 20)
PY
  local lib=libtorch.part/lib so symbols
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
  echo "$TORCH" > libtorch.part/build-version
  rm -rf libtorch; mv libtorch.part libtorch
}

install_cmake
install_libtorch
