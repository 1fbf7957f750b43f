#pragma once
#include "cursor.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/http/message.hpp>
#include <tiktrend/postgres/router.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace tiktrend::gateway {

// Read your writes (ops 5.1). An `X-Consistency-Token` says how far the primary had written; whoever sends it
// back with a read gets an answer from a server that has replayed that much, past the cache. As such a read
// costs more than others, only tokens that a gateway signed count, and only for token_life: by then every
// answer is that new.

struct consistency_token {
    std::string timeline; ///< hexadecimal, eight digits; after a failover the LSN of an old one still only
                          ///< sends us further
    postgres::lsn at_least;
    std::int64_t given_ms = 0; ///< Unix time

    /// The text for the header. Regions that take each other's tokens have the same CURSOR_SECRET.
    std::string signed_with(const cursor_signer& signer) const;
    /// Nothing if signed_with() with this secret did not make the text.
    static std::optional<consistency_token> open(const cursor_signer& signer, std::string_view text);
};

inline constexpr std::chrono::milliseconds token_life{10 * 60'000};

/// What the request brought; nothing without the header or with a token past its life. Throws problem 400
/// `bad_consistency_token` for what is not signed.
std::optional<consistency_token> consistency_token_of(const http::request& r, const cursor_signer& signer,
                                                      const wall_clock& clock = system_wall_clock());

/// How far the primary has written now: covers everything committed before the call. Nothing, logged, if it
/// does not answer within a second.
task<std::optional<consistency_token>>
current_consistency_token(postgres::router& database, const logger& log,
                          const wall_clock& clock = system_wall_clock());

} // namespace tiktrend::gateway
