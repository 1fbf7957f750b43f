#!/bin/bash
# The Dockerfile without a container engine: its stages, read from it line by line, in folders that debootstrap makes, and each
# image's program started as its user, with a root that it cannot write. Needs root, debootstrap, and a Debian mirror as apt has
# it; compiling takes what it takes.
#
#   deploy/docker/rehearse.sh                   both stages: what the build stage compiles is what is started
#   deploy/docker/rehearse.sh --programs DIR    without the build stage: DIR has tiktrend, tiktrend-gateway and tiktrend-worker
#
# JOBS: compilers at once. CCACHE_DIR: a compiler cache to use in the build stage. KEEP=1 keeps the folders.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
top=$(cd -- "$here/../.." && pwd)
die() { echo "rehearse.sh: $*" >&2; exit 1; }

programs=
case ${1:-} in
'') ;;
--programs) programs=${2:?a folder with the three programs} ;;
-h | --help)
    sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*) die "unknown argument $1 (see --help)" ;;
esac
[ "$(id -u)" -eq 0 ] || die "needs root, for debootstrap and chroot"
work=$(mktemp -d /var/tmp/tiktrend-image.XXXXXX)
cleanup() { [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$work"; }
trap cleanup EXIT
chmod 755 "$work" # as the root of an image is

# -- reading the Dockerfile ---------------------------------------------------------------------------------------------

# stage NAME: its instructions, one a line.
stage() {
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$here/Dockerfile" |
        awk -v name="$1" '/^FROM /{inside = ($NF == name)} inside && !/^(#|FROM |$)/'
}

# The files that the builder sees: what Dockerfile.dockerignore lets through.
context=$work/context
make_context() {
    local kept
    mapfile -t kept < <(sed -n 's/^!//p' "$here/Dockerfile.dockerignore")
    mkdir "$context"
    tar -C "$top" -c "${kept[@]}" | tar -C "$context" -x
}

# in_root ROOT WORDS…: with /proc and, if asked for, the compiler cache.
in_root() {
    # shellcheck disable=SC2016 # the inner shell expands them
    unshare --mount --propagation private bash -euc 'root=$0
        mount -t proc proc "$root/proc"
        if [ -n "${CCACHE_DIR:-}" ]; then
            mkdir -p "$root/var/cache/ccache"
            mount --bind "$CCACHE_DIR" "$root/var/cache/ccache"
        fi
        exec chroot "$root" "$@"' "$@"
}

debian() {
    # shellcheck disable=SC2016 # apt's own placeholder
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
    debootstrap --variant=minbase bookworm "$1" "${mirror:?apt has no source for bookworm}" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 20 "$work/debootstrap.log" >&2; die "debootstrap failed"; }
    cp /etc/apt/sources.list "$1/etc/apt/" 2>/dev/null || true
    cp /etc/resolv.conf "$1/etc/" 2>/dev/null || true
}

# copy FROM… TO, as COPY does: the content of folders, files into what ends with a slash.
copy() {
    local to=${*: -1} from
    for from in "${@:1:$#-1}"; do
        if [ -d "$from" ]; then
            mkdir -p "$to" && cp -a "$from/." "$to"
        elif [ "${to%/}" != "$to" ]; then
            mkdir -p "$to" && cp -a "$from" "$to"
        else
            mkdir -p "$(dirname "$to")" && cp -a "$from" "$to"
        fi
    done
}

# play STAGE ROOT: runs its instructions there; leaves the last USER, ENTRYPOINT and ENV in user, entrypoint and variables.
user='' entrypoint='' variables=()
path_of_debian=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
play() {
    local root=$2 word rest directory=/ from to words
    while read -r word rest; do
        case $word in
        WORKDIR) directory=$rest && mkdir -p "$root$directory" ;;
        ENV) variables+=("$rest") ;;
        USER) user=$rest ;;
        ENTRYPOINT) entrypoint=$rest ;;
        EXPOSE | STOPSIGNAL) ;;
        RUN)
            # Nothing of this shell's environment, as with an engine.
            in_root "$root" /usr/bin/env -i PATH="$path_of_debian" HOME=/root JOBS="${JOBS:-$(nproc)}" \
                ${CCACHE_DIR:+CCACHE_DIR=/var/cache/ccache} /bin/sh -ec "cd $directory && $rest" >>"$work/$1.log" 2>&1 ||
                { tail -n 30 "$work/$1.log" >&2; die "stage $1: RUN $rest"; }
            ;;
        COPY)
            from=$context
            if [ "${rest#--from=}" != "$rest" ]; then
                from=$work/$(expr "$rest" : '--from=\([a-z]*\)')
                rest=${rest#* }
            fi
            read -ra words <<<"$rest"
            to=${words[-1]}
            unset 'words[-1]'
            [ "${to#/}" != "$to" ] || to=$directory/$to
            copy "${words[@]/#/$from/}" "$root$to" || die "stage $1: COPY $rest"
            ;;
        *) die "stage $1: $word is not known to this rehearsal" ;;
        esac
    done < <(stage "$1")
}

# -- the build stage ----------------------------------------------------------------------------------------------------

make_context
if [ -n "$programs" ]; then
    mkdir -p "$work/build/out/usr/bin" "$work/build/out/usr/share/tiktrend/sources"
    for program in tiktrend tiktrend-gateway tiktrend-worker; do
        install --strip "$programs/$program" "$work/build/out/usr/bin/$program"
    done
    install --mode 644 "$top"/apps/worker/sources/*.yaml "$work/build/out/usr/share/tiktrend/sources"
else
    debian "$work/build"
    play build "$work/build"
    echo "built: $(cd "$work/build/out/usr/bin" && echo *)"
fi

# -- the three images: one root, since they differ in one file each ------------------------------------------------------

image=$work/image
debian "$image"
play runtime "$image"

# start NAME STATUS WORDS…: as in the pod, with the words of docker run.
start() {
    local name=$1 expected=$2 status=0 said
    shift 2
    # shellcheck disable=SC2016 # the inner shell expands them
    said=$(unshare --mount bash -euc 'root=$0 as=$1; shift; mount --bind "$root" "$root" && mount -o remount,bind,ro "$root"
        exec chroot --userspec="$as" "$root" "$@"' "$image" "$user" /usr/bin/env -i "${variables[@]}" "$@" 2>&1) || status=$?
    [ "$status" -eq "$expected" ] || die "$name: status $status, not $expected: $said"
    echo "$name: ${said%%$'\n'*}"
}
[ "${user%%:*}" -gt 0 ] || die "the images run as ${user:-root}"
for name in cli worker gateway; do
    play "$name" "$image"
    program=$(expr "$entrypoint" : '\["\(.*\)"\]$')
    if chroot "$image" ldd "$program" | grep 'not found'; then die "$program misses libraries"; fi
    start "$name --version" 0 "$program" --version
done
# A wrong setting, so that each ends by itself: it has read its sources by then.
start 'gateway with a wrong port' 2 GATEWAY_PORT=none /usr/bin/tiktrend-gateway
start 'worker with a wrong concurrency' 2 WORKER_CONCURRENCY=none /usr/bin/tiktrend-worker
start 'cli' 0 /usr/bin/tiktrend --help
echo "size: $(du -sm "$image" | cut -f 1) MB, of which programs $(du -cm "$image"/usr/bin/tiktrend* | tail -n 1 | cut -f 1) MB"
