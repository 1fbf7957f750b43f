#pragma once
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/server.hpp>
#include <tiktrend/observe/registry.hpp>

namespace tiktrend::gateway {

/// http_requests_total and http_request_duration_seconds of one thread. Series are looked up once and kept,
/// since a busy gateway asks a hundred thousand times a second.
class http_metrics {
public:
    explicit http_metrics(observe::registry& r);
    void record(const http::server_options::finished& f);

private:
    observe::label_cache<observe::counter, 3> requests_;
    observe::label_cache<observe::histogram, 2> durations_;
};

/// One JSON line a request (ops.md 4, "Access log"). The query is left out: it may hold what does not belong
/// into logs. Answers of 2xx to /health are not logged, as probes would drown the rest.
void write_access_log(const logger& log, const http::server_options::finished& f);

} // namespace tiktrend::gateway
