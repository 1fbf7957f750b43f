#include "consistency.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace tiktrend::gateway {
namespace {

using namespace std::chrono_literals;

// The timeline is in the name of the log file.
constexpr std::string_view position =
    "SELECT left(pg_walfile_name(at), 8), at::text FROM pg_current_wal_insert_lsn() AS at";
constexpr std::string_view scope = "consistency token"; // no list of products is called so

} // namespace

std::string consistency_token::signed_with(const cursor_signer& signer) const {
    return signer.sign(scope, fmt::format("{}/{}/{}", timeline, given_ms, at_least.to_string()));
}

std::optional<consistency_token> consistency_token::open(const cursor_signer& signer, std::string_view text) {
    const auto payload = signer.open(scope, text);
    if (!payload) return std::nullopt;
    std::string_view rest{*payload};
    consistency_token out;
    out.timeline = rest.substr(0, std::min(rest.find('/'), rest.size()));
    rest.remove_prefix(std::min(out.timeline.size() + 1, rest.size()));
    const auto [end, ec] = std::from_chars(rest.data(), rest.data() + rest.size(), out.given_ms);
    rest.remove_prefix(std::min(static_cast<std::size_t>(end - rest.data()) + 1, rest.size()));
    const auto at = postgres::lsn::parse(rest);
    if (ec != std::errc{} || !at) return std::nullopt;
    out.at_least = *at;
    return out;
}

std::optional<consistency_token> consistency_token_of(const http::request& r, const cursor_signer& signer,
                                                      const wall_clock& clock) {
    const auto text = r.headers.get("x-consistency-token");
    if (text.empty()) return std::nullopt;
    auto token = consistency_token::open(signer, text);
    if (!token)
        throw http::problem(400, "bad_consistency_token", "X-Consistency-Token is not one that we gave.");
    if (clock.now_ms() - token->given_ms > token_life.count()) return std::nullopt;
    return token;
}

task<std::optional<consistency_token>> current_consistency_token(postgres::router& database,
                                                                 const logger& log, const wall_clock& clock) {
    try {
        const auto answer = co_await within(1s, database.write().query(position));
        if (const auto at = postgres::lsn::parse(answer.front()[1].text()))
            co_return consistency_token{std::string{answer.front()[0].text()}, *at, clock.now_ms()};
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        log.debug("no_consistency_token", {{"error", e.what()}});
    }
    co_return std::nullopt;
}

} // namespace tiktrend::gateway
