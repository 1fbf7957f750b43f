#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tiktrend::cache {

/// One answer, ready to send. Immutable and shared: may be held as long as wanted and used from any thread.
struct entry {
    std::string body;
    std::string gzip;              ///< the same, compressed; empty if that would not be smaller
    std::string etag;              ///< weak, with quotes: good for both encodings
    std::uint64_t lsn = 0;         ///< the database position the answer was read at
    std::int64_t filled_at_ms = 0; ///< Unix time of the read
    std::int64_t fresh_until_ms =
        0;             ///< Unix time; past it the answer is for want of a better one only. 0: no bound
    bool found = true; ///< false: a negative answer (the item does not exist)

    std::size_t memory() const noexcept { return sizeof(entry) + body.size() + gzip.size() + etag.size(); }
};

using entry_ptr = std::shared_ptr<const entry>;

/// For http::response.shared_body: these bytes share the entry's life.
std::shared_ptr<const std::string> body_of(const entry_ptr& e);
/// The compressed bytes; null if there are none.
std::shared_ptr<const std::string> gzip_of(const entry_ptr& e);

/// Computes ETag and compressed form. `compress_from` is the smallest body worth compressing.
entry_ptr make_entry(std::string body, bool found, std::uint64_t lsn, std::int64_t filled_at_ms,
                     std::size_t compress_from = 1024, std::int64_t fresh_until_ms = 0);

/// The stored form (src/stored_value.cpp describes it): era and generation tell a reader whether it still
/// counts.
struct stored_value {
    std::string era;
    std::string generation;
    entry_ptr answer;
};
std::string encode(std::string_view era, std::string_view generation, const entry& e);
/// Nothing if the bytes are of another version or damaged.
std::optional<stored_value> decode(std::string_view bytes);

} // namespace tiktrend::cache
