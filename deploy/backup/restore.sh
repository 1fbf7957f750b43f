#!/bin/bash
# Restores a folder that backup.sh made. Stop the programs first (docs/operations/backup-and-restore.md).
#
#   deploy/backup/restore.sh --check BACKUP          whether both files are whole; changes nothing
#   deploy/backup/restore.sh --database BACKUP       into DATABASE_URL, which must hold no products table
#   deploy/backup/restore.sh --queue BACKUP DATA     puts queue.rdb into DATA, the data folder of a stopped Redis. What was
#                                                    there is moved aside. Start it once with --appendonly no
set -euo pipefail

die() {
    echo "restore.sh: $*" >&2
    exit 1
}

check() {
    [ -f "$1/SHA256SUMS" ] || die "$1 is no backup: it has no SHA256SUMS"
    (cd "$1" && sha256sum --check --quiet SHA256SUMS) || die "$1 is damaged"
    pg_restore --list "$1/database.dump" >/dev/null || die "$1/database.dump cannot be read"
    if command -v redis-check-rdb >/dev/null; then
        redis-check-rdb "$1/queue.rdb" >/dev/null || die "$1/queue.rdb cannot be read"
    fi
}

case ${1:-} in
--check)
    check "${2:?which backup?}"
    echo "$2 is whole: $(pg_restore --list "$2/database.dump" | grep -c 'TABLE DATA') tables, $(stat -c %s "$2/queue.rdb") bytes of queue"
    ;;
--database)
    check "${2:?which backup?}"
    : "${DATABASE_URL:?is not set}"
    [ "$(psql "$DATABASE_URL" -XtAc "select to_regclass('products') is null")" = t ] ||
        die "the database has products already; restore into an empty one"
    pg_restore --no-owner --no-privileges --exit-on-error --single-transaction --dbname "$DATABASE_URL" "$2/database.dump"
    ;;
--queue)
    check "${2:?which backup?}"
    data=${3:?which data folder?}
    [ -d "$data" ] || die "$data is no folder"
    aside=$data/before-restore-$(date -u +%Y%m%dT%H%M%SZ)
    mkdir "$aside"
    for old in dump.rdb appendonlydir; do
        if [ -e "$data/$old" ]; then mv "$data/$old" "$aside"; fi
    done
    cp "$2/queue.rdb" "$data/dump.rdb"
    chown --reference="$data" "$data/dump.rdb"
    echo "what was there is in $aside"
    ;;
-h | --help) sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" ;;
*)
    echo "restore.sh: expected --check, --database or --queue (see --help)" >&2
    exit 2
    ;;
esac
