#!/bin/sh
# Pod 0 is the primary; the others follow it. noeviction: an evicted key is a lost job. hash-max-listpack-value: a job in one
# piece (docs/operations/install.md).
set -eu
set -- --dir /data --port 6379 --requirepass "$REDIS_PASSWORD" --masterauth "$REDIS_PASSWORD" \
    --appendonly yes --appendfsync everysec --maxmemory 700mb --maxmemory-policy noeviction \
    --hash-max-listpack-value 2048
case $(hostname) in
*-0) ;;
*) set -- "$@" --replicaof redis-queue-0.redis-queue-pods 6379 ;;
esac
exec redis-server "$@"
