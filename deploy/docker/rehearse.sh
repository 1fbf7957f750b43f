#!/bin/bash
# The steps of the Dockerfile without a container engine: the runtime image in a folder that debootstrap makes, and each program
# started in it as user 10001 with a root that it cannot write. Needs root, debootstrap, and a Debian mirror as apt has it.
#
#   deploy/docker/rehearse.sh PROGRAMS [FOLDER]   PROGRAMS: a folder with tiktrend, tiktrend-gateway and tiktrend-worker
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
programs=${1:?a folder with the three programs} root=${2:-$(mktemp -d /var/tmp/tiktrend-image.XXXXXX)}
[ "$(id -u)" -eq 0 ] || { echo "rehearse.sh: needs root, for debootstrap and chroot" >&2; exit 1; }
cleanup() { [ -n "${KEEP:-}" ] || rm -rf --one-file-system "$root"; }
trap cleanup EXIT
chmod 755 "$root" # as the root of an image is

# shellcheck disable=SC2016 # apt's own placeholder
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
debootstrap --variant=minbase bookworm "$root" "${mirror:?apt has no source for bookworm}" >"$root.log" 2>&1 ||
    { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
cp /etc/apt/sources.list "$root/etc/apt/" 2>/dev/null || true
cp /etc/resolv.conf "$root/etc/" 2>/dev/null || true
install "$here/install-runtime-packages.sh" "$root/tmp/"
chroot "$root" /tmp/install-runtime-packages.sh >/dev/null
install -d "$root/usr/share/tiktrend/sources"
install --mode 644 "$here"/../../apps/worker/sources/*.yaml "$root/usr/share/tiktrend/sources"
for program in tiktrend tiktrend-gateway tiktrend-worker; do
    install --strip "$programs/$program" "$root/usr/bin/$program"
    if chroot "$root" ldd "/usr/bin/$program" | grep 'not found'; then
        echo "rehearse.sh: $program misses libraries" >&2
        exit 1
    fi
done

# start NAME STATUS WORDS…: as in the pod; the configuration is wrong on purpose, so that it ends by itself and says why.
start() {
    local name=$1 expected=$2 status=0 said
    shift 2
    # shellcheck disable=SC2016 # the inner shell expands them
    said=$(unshare --mount bash -euc 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"
        exec chroot --userspec=10001:10001 "$0" "$@"' "$root" "$@" 2>&1) || status=$?
    [ "$status" -eq "$expected" ] || { printf 'rehearse.sh: %s: status %s, not %s:\n%s\n' "$name" "$status" "$expected" "$said" >&2; exit 1; }
    echo "$name starts: ${said%%$'\n'*}"
}
start tiktrend 0 /usr/bin/tiktrend --help
start tiktrend-gateway 2 /usr/bin/env SOURCES_DIR=/usr/share/tiktrend/sources GATEWAY_PORT=none /usr/bin/tiktrend-gateway
start tiktrend-worker 2 /usr/bin/env SOURCES_DIR=/usr/share/tiktrend/sources WORKER_CONCURRENCY=none /usr/bin/tiktrend-worker
echo "size: $(du -sm "$root" | cut -f 1) MB, of which programs $(du -cm "$root"/usr/bin/tiktrend* | tail -n 1 | cut -f 1) MB"
