-- What all load scripts share: the key, and one line of JSON at the end.
wrk.headers["Authorization"] = "Bearer " .. os.getenv("API_KEY")

function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format('{"requests":%d,"seconds":%.6f,"p50_us":%d,"p95_us":%d,"p99_us":%d,"errors":%d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(95), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
