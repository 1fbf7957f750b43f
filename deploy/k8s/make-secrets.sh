#!/bin/bash
# Prints the Secrets that the manifests name, with fresh random values; nothing secret is in the repository.
#
#   deploy/k8s/make-secrets.sh --trial | kubectl apply -f -          for overlays/local: PostgreSQL and Redis in the cluster
#   deploy/k8s/make-secrets.sh --managed | kubectl apply -f -        addresses from the environment:
#       DATABASE_URL, REDIS_QUEUE_URL, REDIS_CACHE_URL, and optionally DATABASE_REPLICA_URLS and CURSOR_SECRET
#   Either also takes, where the environment has them: SENTRY_DSN, COPY_API_KEY, JWT_HS256_SECRET for the gateway; SENTRY_DSN,
#   SOURCE_SECRETS, SOURCE_PROXIES, IMAGES_ACCESS_KEY_ID, IMAGES_SECRET_ACCESS_KEY for workers
#   --namespace NAME                                                 another namespace than tiktrend
#
# Running it again makes other passwords, which trial servers that exist already do not have, and a CURSOR_SECRET that ends the page
# cursors in use. One value of a Secret that is there: kubectl patch (docs/operations/failover.md).
set -euo pipefail

kind='' namespace=tiktrend
while [ $# -gt 0 ]; do
    case $1 in
    --trial | --managed) kind=${1#--} ;;
    --namespace)
        namespace=${2:?--namespace needs a name}
        shift
        ;;
    -h | --help)
        sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *)
        echo "make-secrets.sh: unknown argument $1 (see --help)" >&2
        exit 2
        ;;
    esac
    shift
done
[ -n "$kind" ] || { echo "make-secrets.sh: --trial or --managed?" >&2; exit 2; }

random() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }

# secret NAME KEY VALUE KEY VALUE…
secret() {
    printf -- '---\napiVersion: v1\nkind: Secret\ntype: Opaque\nmetadata:\n  name: %s\n  namespace: %s\ndata:\n' "$1" "$namespace"
    shift
    while [ $# -gt 0 ]; do
        printf '  %s: "%s"\n' "$1" "$(printf '%s' "$2" | base64 -w 0)"
        shift 2
    done
}

# secret_of NAME VARIABLE…: those that are set; nothing if none is.
secret_of() {
    local name=$1 variable pairs=()
    shift
    for variable in "$@"; do
        [ -z "${!variable:-}" ] || pairs+=("$variable" "${!variable}")
    done
    [ ${#pairs[@]} -eq 0 ] || secret "$name" "${pairs[@]}"
}

if [ "$kind" = trial ]; then
    postgres=$(random) replication=$(random) redis=$(random)
    database=postgresql://tiktrend:$postgres@postgres:5432/tiktrend
    replica() { echo "postgresql://tiktrend:$postgres@postgres-replica-$1.postgres-replica:5432/tiktrend"; }
    secret tiktrend-trial-secrets POSTGRES_PASSWORD "$postgres" REPLICATION_PASSWORD "$replication" REDIS_PASSWORD "$redis"
    secret tiktrend-secrets DATABASE_URL "$database" DATABASE_REPLICA_URLS "$(replica 0),$(replica 1)" \
        REDIS_QUEUE_URL "redis://:$redis@redis-queue:6379/0" REDIS_CACHE_URL "redis://:$redis@redis-cache:6379/0" \
        CURSOR_SECRET "$(random)"
else
    for name in DATABASE_URL REDIS_QUEUE_URL REDIS_CACHE_URL; do
        [ -n "${!name:-}" ] || { echo "make-secrets.sh: $name is not set" >&2; exit 2; }
    done
    [ "$REDIS_QUEUE_URL" != "$REDIS_CACHE_URL" ] ||
        { echo "make-secrets.sh: queue and cache must be two Redis: one never evicts, the other must" >&2; exit 2; }
    secret tiktrend-secrets DATABASE_URL "$DATABASE_URL" DATABASE_REPLICA_URLS "${DATABASE_REPLICA_URLS:-}" \
        REDIS_QUEUE_URL "$REDIS_QUEUE_URL" REDIS_CACHE_URL "$REDIS_CACHE_URL" CURSOR_SECRET "${CURSOR_SECRET:-$(random)}"
fi
secret_of gateway-secrets SENTRY_DSN COPY_API_KEY JWT_HS256_SECRET
secret_of worker-secrets SENTRY_DSN SOURCE_SECRETS SOURCE_PROXIES IMAGES_ACCESS_KEY_ID IMAGES_SECRET_ACCESS_KEY
