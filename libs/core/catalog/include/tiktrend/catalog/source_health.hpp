#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace tiktrend::catalog {

/// How one run of a source read one field.
struct field_health {
    std::string field;
    /// "found": share of rows with a value; "first": of those, the share that the first alternative gave.
    std::string measure;
    double share = 0; ///< 0 to 1
};

struct field_drift {
    std::string field;
    std::string measure;
    double latest = 0;
    double usual = 0;
    std::int64_t since_ms = 0; ///< of the first run that was like this; 0: it is as usual
};

/// Notices that a source is read worse than it used to be. Any number of coroutines may share one.
class source_health {
public:
    /// A share this far below the usual one is drift; before so many runs nothing is usual.
    static constexpr double tolerance = 0.2;
    static constexpr std::int64_t least_runs = 3;

    explicit source_health(postgres::router& router) : router_{router} {}

    /// Adds a run and compares it with those before. While a field drifts its usual share stays what it was;
    /// a new version of the definition starts afresh.
    task<std::vector<field_drift>> note_run(std::string source, int version,
                                            std::vector<field_health> fields);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
