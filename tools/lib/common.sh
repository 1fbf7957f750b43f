# Sourced by the scripts in tools/: where the project is, how to speak, which node to use.
# shellcheck shell=bash

TT_ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# The project's own Node runtime, where the system has none that is new enough (tools/setup).
TT_NODE_DIR=$TT_ROOT/.cache/node
TT_NODE_MIN=20

say() { printf '%s\n' "$*" >&2; }

die() {
    printf '%s: %s\n' "${TT_PROGRAM:-$(basename -- "$0")}" "$*" >&2
    exit 1
}

# True if the node of this PATH is new enough for BullMQ, Fastify and the test scripts.
node_is_new_enough() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge "$TT_NODE_MIN" ] 2>/dev/null
}

# Puts the project's own runtime in front where tools/setup installed one.
use_node() {
    if [ -x "$TT_NODE_DIR/node_modules/node/bin/node" ]; then
        PATH=$TT_NODE_DIR/node_modules/node/bin:$PATH
        export PATH
    fi
}

# Where the system has no more than one user's worth of memory a core, fewer compilers run at once.
build_jobs() {
    local cores memory_gb
    cores=$(nproc)
    memory_gb=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
    # A translation unit with Asio, Beast and coroutines takes up to 1.5 GB.
    local by_memory=$((memory_gb * 2 / 3))
    [ "$by_memory" -ge 1 ] || by_memory=1
    echo $((cores < by_memory ? cores : by_memory))
}

# configure_preset PRESET: configures once; afterwards Ninja reconfigures by itself when a CMake file changes.
configure_preset() {
    [ -f "$TT_ROOT/build/$1/build.ninja" ] || (cd "$TT_ROOT" && cmake --preset "$1")
}
