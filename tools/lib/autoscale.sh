# Sourced by tools/run --autoscale: a real Prometheus scrapes the real gateway, the autoscaler's controller starts and stops real
# workers, a burst of jobs goes through, and a chart shows it.
# shellcheck shell=bash

AUTOSCALE_JOBS=500
# Politeness is per host, so a burst that keeps a fleet busy needs many shops: 127.0.0.11, .12, …
AUTOSCALE_SHOPS=20
# The autoscaler's periods are shortened by this, so that shrinking takes a minute and not eleven.
AUTOSCALE_SPEED=10
AUTOSCALE_CHART=$RUN_DIR/autoscale.svg

build_autoscaler() { cmake --build "$TT_ROOT/build/release" -j "$(build_jobs)" --target tiktrend-autoscale-sim; }

autoscale_shop_address() { echo "127.0.0.$((10 + $1))"; }

# Twenty small shops that take their time for each page.
start_autoscale_shops() {
    local n name port address
    port=$(choose_port autoscale-shops)
    for n in $(seq "$AUTOSCALE_SHOPS"); do
        name=autoscale-shop-$n
        address=$(autoscale_shop_address "$n")
        start_program "$name" "$BIN_DIR/tiktrend-demo-shop" --address "$address" --port "$port" \
            --port-file "$RUN_DIR/$name.port" --products 60 --seed "$n"
        DEMO_SHOP_URL=http://$address:$port slow_demo_shop 250 1000000
    done
    AUTOSCALE_SHOP_PORT=$port
}

# The program of Debian's package; its own service, where there is one, is left alone.
start_prometheus() {
    local folder=$RUN_DIR/prometheus port
    command -v prometheus >/dev/null || die "Prometheus is not installed: tools/setup --autoscale"
    rm -rf "$folder"
    mkdir -p "$folder"
    echo '[]' >"$folder/workers.json"
    cat >"$folder/prometheus.yml" <<YAML
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: gateway
    static_configs: [{ targets: ["${METRICS_URL:7:-8}"] }]
  - job_name: worker
    file_sd_configs: [{ files: ["$folder/workers.json"], refresh_interval: 2s }]
YAML
    port=$(choose_port prometheus)
    start_process prometheus prometheus --config.file="$folder/prometheus.yml" --storage.tsdb.path="$folder/data" \
        --web.listen-address="127.0.0.1:$port" --log.level=warn
    PROMETHEUS_URL=http://127.0.0.1:$port
    wait_until 30 prometheus_is_ready || { show_log prometheus && die "Prometheus does not start"; }
}

prometheus_is_ready() { curl --silent --fail --max-time 2 --output /dev/null "$PROMETHEUS_URL/-/ready"; }

# Without the hourly job, which would be a 501st.
start_autoscaler() {
    local environment
    mapfile -t environment < <(common_environment | grep -v '^FETCH_ALLOW=')
    rm -rf "$RUN_DIR/workers" "$AUTOSCALE_CHART"
    start_process autoscaler env "${environment[@]}" "FETCH_ALLOW=127.0.0.0/24:$AUTOSCALE_SHOP_PORT" \
        METRICS_ADDRESS=127.0.0.1 DRAIN_TIMEOUT=10s DATABASE_POOL_SIZE=2 TREND_REFRESH=0s \
        "$BIN_DIR/tiktrend-autoscale-sim" control --prometheus "$PROMETHEUS_URL" --speed "$AUTOSCALE_SPEED" --until-idle \
        --for 15m --grace 20s --directory "$RUN_DIR/workers" --targets "$RUN_DIR/prometheus/workers.json" \
        --svg "$AUTOSCALE_CHART" -- "$BIN_DIR/tiktrend-worker"
}

three_workers_run() { [ "$(find "$RUN_DIR/workers" -name '*.port' 2>/dev/null | wc -l)" -ge 3 ]; }

# One connection, one request after the other.
start_burst() {
    local n config=$RUN_DIR/burst.config accepted
    (umask 077 && for n in $(seq "$AUTOSCALE_JOBS"); do
        [ "$n" -eq 1 ] || echo next
        printf 'url = "%s/scraping/start"\nheader = "Authorization: Bearer %s"\nheader = "Content-Type: application/json"\n' \
            "$GATEWAY_URL" "$API_KEY"
        printf 'data = "{\\"source\\":\\"%s\\",\\"filters\\":{\\"shop\\":\\"http://%s:%s\\",\\"per_page\\":5}}"\n' "$DEMO_SOURCE" \
            "$(autoscale_shop_address $((n % AUTOSCALE_SHOPS + 1)))" "$AUTOSCALE_SHOP_PORT"
        printf 'silent\noutput = "/dev/null"\nwrite-out = "%%{http_code}\\n"\nmax-time = 30\n'
    done >"$config")
    accepted=$(curl --config "$config" | grep -c '^202$') || true
    rm -f "$config"
    [ "$accepted" -eq "$AUTOSCALE_JOBS" ] || { show_log gateway && die "only $accepted of $AUTOSCALE_JOBS jobs were accepted"; }
}

queue_card() { redis-cli -u "$REDIS_QUEUE_URL" zcard "bull:scraping:$1"; }

# run_autoscale: until the fleet is at its minimum again.
run_autoscale() {
    local completed failed shown
    start_autoscaler
    wait_until 30 three_workers_run || { show_log autoscaler && die "the workers do not start"; }
    step "a burst of $AUTOSCALE_JOBS jobs for $AUTOSCALE_SHOPS shops; the autoscaler runs $AUTOSCALE_SPEED times as fast as on a cluster"
    start_burst
    tail --lines=+1 --follow --pid="$(process_pid autoscaler)" "$(process_log autoscaler)" &
    shown=$!
    wait "$shown" || true
    completed=$(queue_card completed) failed=$(queue_card failed)
    [ "$completed" -eq "$AUTOSCALE_JOBS" ] && [ "$failed" -eq 0 ] && [ -s "$AUTOSCALE_CHART" ] ||
        { show_log autoscaler && die "$completed jobs completed and $failed failed, of $AUTOSCALE_JOBS"; }
    step "$completed jobs completed, none failed; the chart is in ${AUTOSCALE_CHART#"$TT_ROOT/"}"
}
