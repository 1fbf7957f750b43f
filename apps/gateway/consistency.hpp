#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/message.hpp>
#include <tiktrend/postgres/router.hpp>

#include <optional>
#include <string>

namespace tiktrend::gateway {

// Read your writes (ops 5.1). `X-Consistency-Token: <timeline>/<LSN>` says how far the primary had written; whoever sends
// it back with a read gets an answer from a server that has replayed that much, past the cache.

struct consistency_token {
    std::string timeline; ///< hexadecimal, eight digits; after a failover the LSN of an old one still only sends us further
    postgres::lsn at_least;

    std::string text() const { return timeline + '/' + at_least.to_string(); }
};

/// What the request brought; nothing without the header. Throws problem 400 `bad_consistency_token`.
std::optional<consistency_token> consistency_token_of(const http::request& r);

/// How far the primary has written now: covers everything committed before the call. Nothing, logged, if it does not
/// answer within a second.
task<std::optional<consistency_token>> current_consistency_token(postgres::router& database, const logger& log);

} // namespace tiktrend::gateway
