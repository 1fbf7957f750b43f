#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/redis/client.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tiktrend::cache {

/// The writing side: says that answers no longer count. One script call each (one per 500 items), never a key
/// scan. To be called after the commit, with pg_current_wal_insert_lsn() taken after the commit (an LSN taken
/// before it may lie inside the commit record): from then on only answers that were read at or after that LSN
/// are stored. The client must outlive it.
class invalidator {
public:
    explicit invalidator(redis::client& far) : far_{far} {}

    /// Drops these items and, unless `lists` is false, all lists of the scope; what is dropped stays for
    /// response_cache_options::stale_for. Throws as
    /// redis::client::eval(): until a repeated call succeeds readers may see the old answers up to their time
    /// to live.
    task<void> invalidate(std::string_view scope, std::span<const std::string> ids, std::uint64_t lsn,
                          bool lists = true);

    /// As invalidate() of everything that the scope has, when nobody can say what has changed. `lsn` as
    /// above, of the last change that is to be seen; 0 when it cannot be had: answers of a replica that lags
    /// may then come back for their time to live.
    task<void> invalidate_all(std::string_view scope, std::uint64_t lsn);

    /// As invalidate_all(), and nothing of the scope is given any more, whatever else is away (DELETE
    /// /cache/{scope}).
    task<void> clear(std::string_view scope, std::uint64_t lsn);

    /// How long an item's invalidation is remembered: longer than any load takes and any replica lags.
    static constexpr std::chrono::minutes memory{10};

private:
    redis::client& far_;
};

} // namespace tiktrend::cache
