# Sourced by tools/run: a private Redis for the queue, another for the cache and a PostgreSQL, on free ports of 127.0.0.1.
# shellcheck shell=bash

# Runs a command as the servers' user. State and logs are ours; only what the servers write belongs to them.
as_server() {
    if [ "$(id -u)" -eq 0 ]; then
        echo setpriv --reuid="$SERVER_USER" --regid="$SERVER_USER" --init-groups --
    fi
}

# Where the servers keep their data: .run/state, or a folder in /var/tmp that .run/state points to where the servers' user
# cannot reach the project (a clone in /root).
prepare_state() {
    local state=$RUN_DIR/state name place
    if [ ! -d "$state" ]; then
        rm -f "$state" # a link to nowhere
        mkdir "$state"
        chmod 711 "$RUN_DIR" "$state" # the servers' user passes through
        # shellcheck disable=SC2046 # words, or none
        if ! $(as_server) test -x "$state"; then
            rmdir "$state"
            place=$(mktemp -d /var/tmp/tiktrend-run.XXXXXX)
            chmod 711 "$place"
            ln -s "$place" "$state"
        fi
    fi
    STATE_DIR=$(readlink -f "$state")
    for name in redis-queue redis-cache postgres; do
        mkdir -p "$STATE_DIR/$name"
        chmod 700 "$STATE_DIR/$name"
        [ "$(id -u)" -ne 0 ] || chown "$SERVER_USER:$SERVER_USER" "$STATE_DIR/$name"
    done
}

port_is_free() { ! (exec 8<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# The port of the last run if it is free, so that addresses stay; else a random one below the range of outgoing connections.
choose_port() {
    local port
    port=$(cat "$RUN_DIR/ports/$1" 2>/dev/null) || port=
    while [ -z "$port" ] || ! port_is_free "$port"; do
        port=$((20000 + RANDOM % 12000))
    done
    echo "$port" >"$RUN_DIR/ports/$1"
    echo "$port"
}

# start_server NAME IS_READY COMMAND…: the word PORT of the command becomes a port; another one is tried if the server ends,
# since somebody may take a port between our look and its bind. Sets PORT.
start_server() {
    local name=$1 is_ready=$2 attempt
    shift 2
    for attempt in 1 2 3 4 5; do
        PORT=$(choose_port "$name")
        # shellcheck disable=SC2046 # words, or none
        start_process "$name" $(as_server) "${@//PORT/$PORT}"
        if wait_until 60 server_has_answered "$name" "$is_ready" && process_runs "$name"; then return 0; fi
        stop_process "$name" TERM 5
        rm -f "$RUN_DIR/ports/$name"
        [ "$attempt" -lt 5 ] || { show_log "$name" && die "$name does not start"; }
    done
}

# True when waiting is over: it answers, or it has ended.
server_has_answered() { ! process_runs "$1" || "$2" "$1" "$PORT"; }

# Answers, and is ours rather than another one on that port.
redis_is_ready() {
    redis-cli -p "$2" info server 2>/dev/null | tr -d '\r' | grep -qx "process_id:$(process_pid "$1")" &&
        [ "$(redis-cli -p "$2" ping 2>/dev/null)" = PONG ]
}

start_redis() {
    local name=$1
    shift
    start_server "$name" redis_is_ready redis-server --port PORT --bind 127.0.0.1 --protected-mode yes --daemonize no \
        --dir "$STATE_DIR/$name" --save '' "$@"
}

postgres_programs() {
    local place
    for place in /usr/lib/postgresql/15/bin /usr/lib/postgresql/*/bin; do
        if [ -x "$place/postgres" ]; then
            echo "$place"
            return
        fi
    done
    die "there is no PostgreSQL in /usr/lib/postgresql"
}

postgres_is_ready() {
    [ "$(head -n 1 "$STATE_DIR/postgres/pid" 2>/dev/null)" = "$(process_pid "$1")" ] &&
        pg_isready --quiet --host 127.0.0.1 --port "$2"
}

# Sets DATABASE_URL.
start_postgres() {
    local programs data=$STATE_DIR/postgres/data password_file=$RUN_DIR/postgres.password
    programs=$(postgres_programs)
    if [ ! -s "$password_file" ]; then
        (umask 077 && head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$password_file")
        rm -rf "$data"
    fi
    if [ ! -f "$data/PG_VERSION" ]; then
        rm -rf "$data" "$data.new" # an initdb that was interrupted
        # The servers' user cannot read our file, so it gets one of its own while initdb runs.
        local password_copy=$STATE_DIR/postgres/password
        install -m 600 "$password_file" "$password_copy"
        [ "$(id -u)" -ne 0 ] || chown "$SERVER_USER" "$password_copy"
        # shellcheck disable=SC2046 # words, or none
        (cd / && $(as_server) "$programs/initdb" --pgdata "$data.new" --username tiktrend --auth scram-sha-256 \
            --pwfile "$password_copy" --encoding UTF8 --locale C.UTF-8 --no-sync \
            >>"$(process_log postgres)" 2>&1) ||
            { show_log postgres && die "initdb failed"; }
        rm "$password_copy"
        mv "$data.new" "$data"
    fi
    start_server postgres postgres_is_ready "$programs/postgres" -D "$data" -p PORT \
        -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c external_pid_file="$STATE_DIR/postgres/pid"
    PGPASSWORD=$(cat "$password_file")
    export PGPASSWORD
    local connection=(--host 127.0.0.1 --port "$PORT" --username tiktrend --no-psqlrc --quiet --tuples-only --no-align)
    if [ "$(psql "${connection[@]}" --dbname postgres -c "select 1 from pg_database where datname = 'tiktrend'")" != 1 ]; then
        psql "${connection[@]}" --dbname postgres -c 'create database tiktrend' || die "cannot make the database"
    fi
    DATABASE_URL=postgresql://tiktrend:$PGPASSWORD@127.0.0.1:$PORT/tiktrend
    unset PGPASSWORD
}
