#include "consistency.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>

#include <algorithm>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

// The timeline is in the name of the log file.
constexpr std::string_view position =
    "SELECT left(pg_walfile_name(at), 8), at::text FROM pg_current_wal_insert_lsn() AS at";
constexpr std::size_t timeline_digits = 8;

bool is_timeline(std::string_view text) {
    return text.size() == timeline_digits &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

} // namespace

std::optional<consistency_token> consistency_token_of(const http::request& r) {
    const auto text = r.headers.get("x-consistency-token");
    if (text.empty()) return std::nullopt;
    const auto at = text.size() > timeline_digits + 1 && text[timeline_digits] == '/'
                        ? postgres::lsn::parse(text.substr(timeline_digits + 1))
                        : std::nullopt;
    if (!at || !is_timeline(text.substr(0, timeline_digits)))
        throw http::problem(400, "bad_consistency_token", "X-Consistency-Token is not one that we gave.");
    return consistency_token{std::string{text.substr(0, timeline_digits)}, *at};
}

task<std::optional<consistency_token>> current_consistency_token(postgres::router& database, const logger& log) {
    try {
        const auto answer = co_await within(1s, database.write().query(position));
        if (const auto at = postgres::lsn::parse(answer.front()[1].text()))
            co_return consistency_token{std::string{answer.front()[0].text()}, *at};
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        log.debug("no_consistency_token", {{"error", e.what()}});
    }
    co_return std::nullopt;
}

} // namespace tiktrend::gateway
