#!/bin/bash
# Copies the primary once; a restart goes on where the copy was.
set -euo pipefail
[ ! -f "$PGDATA/PG_VERSION" ] || exit 0
rm -rf "${PGDATA:?}"/*
PGPASSWORD=$REPLICATION_PASSWORD pg_basebackup --host postgres --username replicator --pgdata "$PGDATA" \
    --wal-method stream --write-recovery-conf --checkpoint fast
chmod 700 "$PGDATA"
