# Sourced by tools/run and tools/stop: the processes of one run under .run/, started apart from the terminal, so that Ctrl-C
# reaches only tools/run, which then ends them in order.
# shellcheck shell=bash

RUN_DIR=$TT_ROOT/.run
# In the order in which they are stopped: those who send before those who receive.
RUN_PROCESSES=(gateway worker demo-shop redis-queue redis-cache postgres)
# Who the servers run as when we are root: initdb refuses root, and the package makes this user.
SERVER_USER=postgres

process_log() { echo "$RUN_DIR/log/$1.log"; }

# Field 22 of /proc/PID/stat: with the pid it names a process for ever, so a recycled pid is never taken for ours.
start_time_of() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) } # the name may hold blanks and parentheses
    [ "${stat%% *}" != Z ] || return 1
    echo "$stat" | cut -d ' ' -f 20
}

# start_process NAME COMMAND…: output goes to its log, the pid to .run/pids/NAME.
start_process() {
    local name=$1
    shift
    setsid env --default-signal=INT,QUIT "$@" </dev/null >>"$(process_log "$name")" 2>&1 9>&- &
    echo "$! $(start_time_of $!)" >"$RUN_DIR/pids/$name"
}

process_pid() { cut -d ' ' -f 1 "$RUN_DIR/pids/$1" 2>/dev/null; }

process_runs() {
    local pid started
    read -r pid started 2>/dev/null <"$RUN_DIR/pids/$1" || return 1
    [ -n "$started" ] && [ "$(start_time_of "$pid")" = "$started" ]
}

# stop_process NAME SIGNAL SECONDS: SIGKILL after the time is over.
stop_process() {
    local name=$1 signal=$2 seconds=$3 pid
    if process_runs "$name"; then
        pid=$(process_pid "$name")
        kill "-$signal" "$pid" 2>/dev/null || true
        if ! wait_until "$seconds" process_is_gone "$name"; then
            say "$name did not end in $seconds s: killed"
            kill -KILL -- "-$pid" 2>/dev/null || kill -KILL "$pid" 2>/dev/null || true
            wait_until 5 process_is_gone "$name" || true
        fi
    fi
    rm -f "$RUN_DIR/pids/$name"
}

process_is_gone() { ! process_runs "$1"; }

# Ends everything that a run has started, also one that was killed before it could.
stop_all() {
    local name
    # Told together, so that their drains run side by side.
    for name in gateway worker; do
        if process_runs "$name"; then kill -TERM "$(process_pid "$name")" 2>/dev/null || true; fi
    done
    # The autoscaler ends the workers that it has started.
    stop_process autoscaler TERM 30
    stop_process gateway TERM 20
    stop_process worker TERM 20
    stop_process prometheus TERM 10
    for name in "$RUN_DIR"/pids/autoscale-shop-*; do
        if [ -e "$name" ]; then stop_process "${name##*/}" TERM 5; fi
    done
    stop_process demo-shop TERM 5
    stop_process redis-queue TERM 10
    stop_process redis-cache TERM 5
    stop_process postgres INT 20 # "fast": open transactions are rolled back
}

kill_all() {
    local name
    for name in $(ls "$RUN_DIR/pids"); do
        if process_runs "$name"; then kill -KILL "$(process_pid "$name")" 2>/dev/null || true; fi
        rm -f "$RUN_DIR/pids/$name"
    done
}

any_process_runs() {
    local name
    for name in $(ls "$RUN_DIR/pids"); do
        if process_runs "$name"; then return 0; fi
    done
    return 1
}

# wait_until SECONDS COMMAND…: asks ten times a second.
wait_until() {
    local rounds=$(($1 * 10))
    shift
    while ! "$@"; do
        [ $rounds -gt 0 ] || return 1
        rounds=$((rounds - 1))
        sleep 0.1
    done
}

# Prints the end of a process's log, for the reason of a failure.
show_log() {
    local log
    log=$(process_log "$1")
    if [ -s "$log" ]; then
        say "--- the end of $log:"
        tail -n 15 "$log" >&2
    fi
}

# One run at a time: descriptor 9 holds the lock as long as this script lives; its children do not inherit it.
lock_run() {
    mkdir -p "$RUN_DIR/pids" "$RUN_DIR/log" "$RUN_DIR/ports"
    exec 9>>"$RUN_DIR/lock"
    flock --nonblock 9
}
