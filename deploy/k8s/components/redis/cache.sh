#!/bin/sh
set -eu
exec redis-server --dir /data --port 6379 --requirepass "$REDIS_PASSWORD" --save '' --appendonly no \
    --maxmemory 256mb --maxmemory-policy allkeys-lru
