#!/bin/bash
# build-programs.sh FOLDER: compiles the three programs as they are shipped, and puts them into FOLDER/usr.
set -euo pipefail
out=${1:?which folder?}
cmake --preset release -DTIKTREND_BUILD_TESTS=OFF -DTIKTREND_BUILD_BENCH=OFF
cmake --build build/release --parallel "${JOBS:-$(nproc)}" --target tiktrend tiktrend-gateway tiktrend-worker
install -d "$out/usr/bin" "$out/usr/share/tiktrend/sources"
install --strip build/release/bin/tiktrend build/release/bin/tiktrend-gateway \
    build/release/bin/tiktrend-worker "$out/usr/bin"
install --mode 644 apps/worker/sources/*.yaml LICENSE "$out/usr/share/tiktrend/sources"
mv "$out/usr/share/tiktrend/sources/LICENSE" "$out/usr/share/tiktrend/LICENSE"
