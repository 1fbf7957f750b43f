#!/bin/bash
# Brings an overlay to the cluster that kubectl speaks to: first the schema, then the programs. Safe to run again.
#
#   deploy/k8s/apply.sh OVERLAY              local, prometheus-adapter, keda, spot-aws, spot-gcp, spot-azure or region-replica; or
#                                            the folder of an overlay of your own
#   deploy/k8s/apply.sh OVERLAY --dry-run    prints the commands
#   --timeout SECONDS                        how long the migration may take (3600)
#
# The migration runs the image that the overlay gives to the command line (tiktrend/cli, or what `images` makes of it). What else
# its Job needs, imagePullSecrets say, goes into a folder `migrate` of your overlay, which then stands in for deploy/k8s/migrate.
# A region-replica has no schema of its own to migrate: the home region's apply does it.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
die() { echo "apply.sh: $*" >&2; exit 1; }
usage_error() { echo "apply.sh: $* (see --help)" >&2; exit 2; }

overlay='' dry='' timeout=3600
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) dry=1 ;;
    --timeout)
        timeout=${2:-}
        [[ $timeout =~ ^[1-9][0-9]*$ ]] || usage_error "--timeout: expected a number of seconds"
        shift
        ;;
    -h | --help)
        sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) usage_error "unknown argument $1" ;;
    *) overlay=$1 ;;
    esac
    shift
done
[ -n "$overlay" ] || usage_error "which overlay?"
name=$overlay
[ -d "$overlay" ] || overlay=$here/overlays/$overlay
[ -f "$overlay/kustomization.yaml" ] || usage_error "there is no overlay $name"
command -v kubectl >/dev/null || die "needs kubectl"

# -- what the overlay holds -----------------------------------------------------------------------------------------------

rendered=$(mktemp)
trap 'rm -f "$rendered"' EXIT
kubectl kustomize "$overlay" >"$rendered"

# documents KIND: those of the overlay.
documents() {
    awk -v kind="$1" '
        function flush() { if (doc ~ ("(^|\n)kind: " kind "\n")) printf "---\n%s", doc; doc = "" }
        /^---$/ { flush(); next }
        { doc = doc $0 "\n" }
        END { flush() }' "$rendered"
}
# names KIND: metadata.name is the only `name` at that depth in the kinds that are asked for.
names() { documents "$1" | sed -n 's/^  name: //p'; }
has() { names "$1" | grep -x "$2" >/dev/null; }
# kustomize sorts the members of a container, so its image stands before its name.
cli_image=$(awk '/^ +(- )?image: / {image = $NF} /^ +(- )?name: schema-is-ready$/ {print image; exit}' "$rendered")
[ -n "$cli_image" ] || die "$name has no container schema-is-ready: which image migrates?"

# -- the steps ------------------------------------------------------------------------------------------------------------

run() {
    echo "+ $*" >&2
    [ -n "$dry" ] || "$@"
}
in_namespace() { run kubectl --namespace tiktrend "$@"; }
# apply_text WHAT: what standard input holds.
apply_text() {
    echo "+ kubectl apply -f -    # $1" >&2
    if [ -n "$dry" ]; then cat >/dev/null; else kubectl apply -f -; fi
}

of_job() { kubectl --namespace tiktrend get "$@" 2>/dev/null || true; }
# Until it has ended, either way; what keeps its pod from starting is said meanwhile.
wait_for_migration() {
    echo "+ kubectl --namespace tiktrend get job migrate    # until it has ended, for $timeout s at most" >&2
    [ -z "$dry" ] || return 0
    local ended why said='' end=$((SECONDS + timeout))
    while :; do
        ended=" $(of_job job migrate --output jsonpath='{range .status.conditions[?(@.status=="True")]}{.type}{" "}{end}')"
        case $ended in
        *' Complete '*) return 0 ;;
        *' Failed '*) break ;;
        esac
        why=$(of_job pods --selector job-name=migrate --output jsonpath='{.items[*].status.containerStatuses[*].state.waiting.reason}')
        if [ -n "$why" ] && [ "$why" != "$said" ]; then echo "apply.sh: the migration's pod waits: $why" >&2; fi
        said=$why
        [ $SECONDS -lt $end ] || break
        sleep 2
    done
    kubectl --namespace tiktrend logs job/migrate --tail 20 >&2 || true
    die "the migration has not succeeded; nothing was rolled out. kubectl --namespace tiktrend describe job migrate"
}

run kubectl apply -f "$here/base/namespace.yaml"
secrets=(tiktrend-secrets)
if has StatefulSet postgres; then secrets+=(tiktrend-trial-secrets); fi
for secret in "${secrets[@]}"; do
    [ -n "$dry" ] || kubectl --namespace tiktrend get secret "$secret" >/dev/null ||
        die "make the Secret $secret first (make-secrets.sh --help)"
done

if ! grep -qx '  GATEWAY_ROLE: replica' "$rendered"; then
    if has StatefulSet postgres; then
        # The trial PostgreSQL comes with the overlay, so here the programs are applied first; they wait for the schema.
        run kubectl apply -k "$overlay"
        in_namespace rollout status statefulset/postgres --timeout=5m
    else
        # The old programs run on while the schema grows: migrations only add until every old program is gone. The Job needs the
        # policies, and those are the overlay's own: the base's could cut the running programs off.
        documents NetworkPolicy | apply_text "network policies of $name"
    fi
    migrate=$here/migrate
    [ ! -f "$overlay/migrate/kustomization.yaml" ] || migrate=$overlay/migrate
    in_namespace delete job migrate --ignore-not-found
    kubectl kustomize "$migrate" | sed -E "s|^( +(- )?image: )tiktrend/cli(:.*)?$|\1$cli_image|" | apply_text "$migrate with the image $cli_image"
    wait_for_migration
fi
run kubectl apply -k "$overlay"
for deployment in $(names Deployment); do
    in_namespace rollout status "deployment/$deployment" --timeout=10m
done
