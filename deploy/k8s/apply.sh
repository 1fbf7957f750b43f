#!/bin/bash
# Brings an overlay to the cluster that kubectl speaks to: first the schema, then the programs. Safe to run again.
#
#   deploy/k8s/apply.sh OVERLAY              local, prometheus-adapter, keda, spot-aws, spot-gcp, spot-azure or region-replica; or a folder of
#                                        your own
#   deploy/k8s/apply.sh OVERLAY --dry-run    prints the commands
#
# A region-replica has no schema of its own to migrate: the home region's apply does it.
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

overlay='' dry=''
for arg in "$@"; do
    case $arg in
    --dry-run) dry=1 ;;
    -h | --help)
        sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) echo "apply.sh: unknown argument $arg (see --help)" >&2 && exit 2 ;;
    *) overlay=$arg ;;
    esac
done
[ -n "$overlay" ] || { echo "apply.sh: which overlay?" >&2; exit 2; }
name=$overlay
[ -d "$overlay" ] || overlay=$here/overlays/$overlay
[ -f "$overlay/kustomization.yaml" ] || { echo "apply.sh: there is no overlay $name" >&2; exit 2; }

run() {
    echo "+ $*" >&2
    [ -n "$dry" ] || "$@"
}
in_namespace() { run kubectl --namespace tiktrend "$@"; }

run kubectl apply -f "$here/base/namespace.yaml"
[ -n "$dry" ] || kubectl --namespace tiktrend get secret tiktrend-secrets >/dev/null ||
    { echo "apply.sh: make the Secret first (make-secrets.sh --help)" >&2; exit 1; }

if [ "$name" != region-replica ]; then
    if [ "$name" = local ]; then
        # The trial PostgreSQL comes with the overlay, so here the programs are applied first; they wait for the schema.
        run kubectl apply -k "$overlay"
        in_namespace rollout status statefulset/postgres --timeout=5m
    else
        # The old programs run on while the schema grows: migrations only add until every old program is gone.
        in_namespace apply -f "$here/base/network-policies.yaml"
    fi
    in_namespace delete job migrate --ignore-not-found
    run kubectl apply -k "$here/migrate"
    in_namespace wait --for=condition=complete job/migrate --timeout=1h
fi
run kubectl apply -k "$overlay"
in_namespace rollout status deployment/api-server --timeout=10m
[ "$name" = region-replica ] || in_namespace rollout status deployment/scraper-workers --timeout=10m
case $name in spot-*) in_namespace rollout status deployment/scraper-workers-on-demand --timeout=10m ;; esac
