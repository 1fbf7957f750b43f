#!/bin/bash
# Backs up what is worth keeping into a new folder named after the time: database.dump (pg_dump's custom format, one snapshot),
# queue.rdb (Redis's own, as a replica gets it), SHA256SUMS. Reads DATABASE_URL and REDIS_QUEUE_URL.
#
#   deploy/backup/backup.sh FOLDER             prints the new folder
#   deploy/backup/backup.sh FOLDER --keep 30   removes all but so many of the newest (14)
#
# Unfinished folders end in .part and are never taken for a backup.
set -euo pipefail

folder='' keep=14
while [ $# -gt 0 ]; do
    case $1 in
    --keep)
        keep=${2:?--keep needs a number}
        shift
        ;;
    -h | --help)
        sed -n '2,/^set -e/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    -*) echo "backup.sh: unknown argument $1 (see --help)" >&2 && exit 2 ;;
    *) folder=$1 ;;
    esac
    shift
done
[ -n "$folder" ] || { echo "backup.sh: into which folder?" >&2; exit 2; }
[[ $keep =~ ^[1-9][0-9]*$ ]] || { echo "backup.sh: --keep $keep: expected a number above 0" >&2; exit 2; }
: "${DATABASE_URL:?is not set}" "${REDIS_QUEUE_URL:?is not set}"
case $REDIS_QUEUE_URL in
redis+* | rediss+*) echo "backup.sh: REDIS_QUEUE_URL: a backup needs one server, as redis://…; a replica of the master is best" >&2 && exit 2 ;;
esac

umask 077
mkdir -p "$folder"
name=$(date -u +%Y%m%dT%H%M%SZ)
part=$folder/$name.part
mkdir "$part"
trap 'rm -rf "$part"' EXIT

pg_dump --format=custom --no-owner --no-privileges --file "$part/database.dump" "$DATABASE_URL"
case $REDIS_QUEUE_URL in
unix://*) redis=(-s "${REDIS_QUEUE_URL#unix://}") ;;
*) redis=(-u "$REDIS_QUEUE_URL") ;;
esac
redis-cli --no-auth-warning "${redis[@]}" --rdb "$part/queue.rdb" >/dev/null
[ -s "$part/queue.rdb" ] || { echo "backup.sh: Redis sent nothing" >&2; exit 1; }
(cd "$part" && sha256sum database.dump queue.rdb >SHA256SUMS)
mv "$part" "$folder/$name"

# Only what is whole and named like ours is ever removed.
find "$folder" -maxdepth 1 -type d -regextype posix-extended -regex '.*/[0-9]{8}T[0-9]{6}Z' | sort -r | tail -n "+$((keep + 1))" |
    while read -r old; do rm -rf -- "$old"; done
echo "$folder/$name"
