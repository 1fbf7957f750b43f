# Sourced by tools/run: the project's own programs, and one job through all of them.
# shellcheck shell=bash

BIN_DIR=$TT_ROOT/build/release/bin
DEMO_SOURCE=demo.shop
# NAME=VALUE words for the programs beside those below; tools/bench/run has some.
GATEWAY_SETTINGS=()
WORKER_SETTINGS=()

build_release() {
    configure_preset release &&
        cmake --build "$TT_ROOT/build/release" -j "$(build_jobs)" \
            --target tiktrend-gateway tiktrend-worker tiktrend-demo-shop tiktrend
}

# port_from NAME KEY: what a program wrote to its port file once it listened; KEY empty: the file is the number.
port_from() {
    local file=$RUN_DIR/$1.port
    if [ -n "$2" ]; then sed -n "s/^$2=//p" "$file"; else cat "$file"; fi
}

# start_program NAME COMMAND…: waits until it has written its port file.
start_program() {
    local name=$1
    shift
    rm -f "$RUN_DIR/$name.port"
    start_process "$name" "$@"
    wait_until 30 program_listens_or_ended "$name" || { show_log "$name" && die "$name does not start"; }
    process_runs "$name" || { show_log "$name" && die "$name ended at its start"; }
}

program_listens_or_ended() { [ -s "$RUN_DIR/$1.port" ] || ! process_runs "$1"; }

# Arguments go to the shop.
start_demo_shop() {
    local port
    port=$(choose_port demo-shop)
    start_program demo-shop "$BIN_DIR/tiktrend-demo-shop" --address 127.0.0.1 --port "$port" --port-file "$RUN_DIR/demo-shop.port" "$@"
    DEMO_SHOP_URL=http://127.0.0.1:$(port_from demo-shop '')
}

# What both programs read. The allow list opens the one private address that is needed: the demo shop's.
common_environment() {
    printf '%s\n' \
        "REDIS_QUEUE_URL=$REDIS_QUEUE_URL" "REDIS_CACHE_URL=$REDIS_CACHE_URL" "DATABASE_URL=$DATABASE_URL" \
        "SOURCES_DIR=$TT_ROOT/apps/worker/sources" "SOURCE_DEFAULTS=$DEMO_SOURCE.shop=$DEMO_SHOP_URL" \
        "FETCH_ALLOW=${DEMO_SHOP_URL#http://}" "LOG_LEVEL=info"
}

# start_gateway [NAME]: "gateway", or another one beside it; GATEWAY_URL and METRICS_URL are its own then.
start_gateway() {
    local name=${1:-gateway} port metrics_port environment secret=$RUN_DIR/cursor.secret
    [ -s "$secret" ] || (umask 077 && head -c 24 /dev/urandom | base64 >"$secret")
    port=$(choose_port "$name")
    metrics_port=$(choose_port "$name-metrics")
    mapfile -t environment < <(common_environment)
    start_program "$name" env "${environment[@]}" \
        GATEWAY_ADDRESS=127.0.0.1 GATEWAY_PORT="$port" METRICS_ADDRESS=127.0.0.1 METRICS_PORT="$metrics_port" \
        CURSOR_SECRET="$(cat "$secret")" LAME_DUCK=0ms DRAIN_TIMEOUT=10s PORT_FILE="$RUN_DIR/$name.port" \
        "${GATEWAY_SETTINGS[@]}" "$BIN_DIR/tiktrend-gateway"
    GATEWAY_URL=http://127.0.0.1:$(port_from "$name" GATEWAY_PORT)
    METRICS_URL=http://127.0.0.1:$(port_from "$name" METRICS_PORT)/metrics
}

start_worker() {
    local metrics_port environment
    metrics_port=$(choose_port worker-metrics)
    mapfile -t environment < <(common_environment)
    start_program worker env "${environment[@]}" \
        METRICS_ADDRESS=127.0.0.1 METRICS_PORT="$metrics_port" DRAIN_TIMEOUT=10s PORT_FILE="$RUN_DIR/worker.port" \
        "${WORKER_SETTINGS[@]}" \
        "$BIN_DIR/tiktrend-worker"
}

gateway_is_ready() { curl --silent --fail --max-time 2 --output /dev/null "$GATEWAY_URL/health/ready"; }

# api METHOD PATH [BODY]: prints the body; a status of 400 or more fails with the problem's own words.
api() {
    local answer status
    answer=$(curl --silent --show-error --max-time 30 --request "$1" --header "Authorization: Bearer $API_KEY" \
        ${3:+--header 'Content-Type: application/json' --data "$3"} --write-out '\n%{http_code}' "$GATEWAY_URL$2") ||
        die "$1 $2: no answer"
    status=${answer##*$'\n'}
    answer=${answer%$'\n'*}
    [ "$status" -lt 400 ] || die "$1 $2: $status $(jq -r '.detail // .title // .' <<<"$answer" 2>/dev/null || echo "$answer")"
    printf '%s\n' "$answer"
}

key_works() {
    [ -n "$API_KEY" ] && curl --silent --fail --max-time 5 --output /dev/null \
        --header "Authorization: Bearer $API_KEY" "$GATEWAY_URL/products?limit=1"
}

# The admin key of an earlier run where the database still knows it.
ensure_api_key() {
    local file=$RUN_DIR/api.key
    API_KEY=$(cat "$file" 2>/dev/null) || API_KEY=
    key_works && return
    API_KEY=$(DATABASE_URL=$DATABASE_URL "$BIN_DIR/tiktrend" api-key create \
        --email admin@localhost --scopes admin --name tools/run) || die "cannot make an API key"
    (umask 077 && printf '%s\n' "$API_KEY" >"$file")
    key_works || die "the gateway refuses the API key that was just made"
}

write_env_file() {
    (umask 077 && printf '%s\n' \
        "GATEWAY_URL=$GATEWAY_URL" "METRICS_URL=$METRICS_URL" "API_KEY=$API_KEY" "DATABASE_URL=$DATABASE_URL" \
        "REDIS_QUEUE_URL=$REDIS_QUEUE_URL" "REDIS_CACHE_URL=$REDIS_CACHE_URL" "DEMO_SHOP_URL=$DEMO_SHOP_URL" \
        >"$RUN_DIR/env.new")
    mv "$RUN_DIR/env.new" "$RUN_DIR/env"
}

# draw_bar PERCENT TEXT: one line that is drawn over itself on a terminal, and only at its end elsewhere.
draw_bar() {
    local width=32 filled bar
    filled=$(($1 * width / 100))
    printf -v bar '%*s' "$filled" ''
    bar=${bar// /#}
    printf -v bar "%-${width}s" "$bar"
    if [ -t 2 ]; then
        printf '\r  [%s] %3d %%  %s\033[K' "${bar// /-}" "$1" "$2" >&2
    elif [ "$1" -eq 100 ]; then
        printf '  [%s] %3d %%  %s\n' "$bar" "$1" "$2" >&2
    fi
}

# follow_job ID PAGES: draws the job's progress up to its end, PAGES being all there is to fetch.
follow_job() {
    local id=$1 pages=$2 job state percent text deadline=$((SECONDS + 300))
    while :; do
        job=$(api GET "/scraping/jobs/$id")
        IFS=$'\t' read -r state percent text < <(jq -r --argjson pages "$pages" '
            (.progress // {} | if type == "object" then . else {} end) as $p
            | [.state,
               (if .state == "completed" then 100 else [99, (100 * ($p.pages // 0) / $pages | floor)] | min end),
               (if .state == "completed"
                then "\(.result.products_found) products on \(.result.pages) pages, \(.result.products_changed) new or changed"
                elif $p.pages then "\($p.pages) of \($pages) pages, \($p.products_found // 0) products"
                else .state end)]
            | @tsv' <<<"$job")
        draw_bar "$percent" "$text"
        case $state in
        completed)
            [ ! -t 2 ] || printf '\n' >&2
            return
            ;;
        failed)
            [ ! -t 2 ] || printf '\n' >&2
            show_log worker
            die "the job failed: $(jq -r '.failed_reason // "no reason given"' <<<"$job")"
            ;;
        esac
        [ $SECONDS -lt $deadline ] || die "job $id is still $state after five minutes"
        if any_program_ended; then
            show_log "$ENDED"
            die "$ENDED ended while the job was running"
        fi
        sleep 0.1
    done
}

any_program_ended() {
    for ENDED in "${RUN_PROCESSES[@]}"; do
        process_runs "$ENDED" || return 0
    done
    return 1
}

scrape_request() { printf '{"source":"%s","filters":{"shop":"%s","per_page":%s}}' "$DEMO_SOURCE" "$DEMO_SHOP_URL" "$PER_PAGE"; }

# start_scrape PER_PAGE: sets JOB_ID and PAGES.
start_scrape() {
    PER_PAGE=$1
    PAGES=$(curl --silent --fail --max-time 5 "$DEMO_SHOP_URL/api/products?page=1&per_page=$PER_PAGE" | jq .pages) ||
        die "the demo shop does not answer"
    JOB_ID=$(api POST /scraping/start "$(scrape_request)" | jq -r .job_id)
    [ -n "$JOB_ID" ] && [ "$JOB_ID" != null ] || die "POST /scraping/start gave no job id"
}

# As many days have passed in the shop as there were visits, so that each run finds some prices moved.
pass_time_in_demo_shop() {
    local visits
    visits=$(cat "$RUN_DIR/visits" 2>/dev/null) || visits=0
    echo $((visits + 1)) >"$RUN_DIR/visits"
    [ "$visits" -le 50 ] || visits=50
    while [ "$visits" -gt 0 ]; do
        curl --silent --fail --max-time 5 --output /dev/null --request POST "$DEMO_SHOP_URL/_control/tick" ||
            die "the demo shop does not answer"
        visits=$((visits - 1))
    done
}

# A shop that is not next door takes its time for each page; without it there would be no progress to see.
slow_demo_shop() {
    curl --silent --fail --max-time 5 --output /dev/null --data "{\"kind\":\"slow\",\"path\":\"/api/products\",\"delay_ms\":$1,\"count\":$2}" \
        --header 'Content-Type: application/json' "$DEMO_SHOP_URL/_control" || die "the demo shop does not answer"
}

show_products() {
    local list
    list=$(api GET "/products?source=$DEMO_SOURCE&limit=10")
    [ "$(jq '.items | length' <<<"$list")" -gt 0 ] || die "the job has completed, but GET /products shows nothing"
    jq -r '
        def fit($n): tostring | if length > $n then .[:$n - 1] + "…" else . + (" " * ($n - length)) // . end;
        def right($n): tostring | ((" " * ($n - length)) // "") + .;
        def row: "  \(.[0] | right(6))  \(.[1] | fit(40))  \(.[2] | fit(20))  \(.[3] | right(18))  \(.[4] | right(8))";
        (["id", "title", "category", "price", "7 days"] | row),
        (.items[] | [.id, .title, .category // "", (if .price_min then "\(.price_min) \(.currency // "")" else "" end), .sales_7d // ""] | row)
    ' <<<"$list"
}

show_addresses() {
    cat <<TEXT

  gateway    $GATEWAY_URL
  metrics    $METRICS_URL
  demo shop  $DEMO_SHOP_URL
  all of it  . .run/env

Try:
  curl -s '$GATEWAY_URL/products?limit=3' -H 'Authorization: Bearer $API_KEY' | jq .
  curl -s '$GATEWAY_URL/scraping/jobs/$JOB_ID' -H 'Authorization: Bearer $API_KEY' | jq .
  curl -s '$GATEWAY_URL/scraping/start' -H 'Authorization: Bearer $API_KEY' -H 'Content-Type: application/json' \\
       -d '$(scrape_request)'
  curl -s '$METRICS_URL' | grep bullmq_
  redis-cli -u '$REDIS_QUEUE_URL' hgetall 'bull:scraping:$JOB_ID'
  psql '$DATABASE_URL' -c 'select count(*) from products'

TEXT
}
