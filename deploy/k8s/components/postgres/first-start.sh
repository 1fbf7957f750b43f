#!/bin/bash
# Run once by the image when the primary's data directory is new: the role that replicas use.
set -euo pipefail
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set=password="$REPLICATION_PASSWORD" \
    <<<"create role replicator with replication login password :'password'"
echo 'host replication replicator all scram-sha-256' >>"$PGDATA/pg_hba.conf"
