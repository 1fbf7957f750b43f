#pragma once
#include "product_cache.hpp"
#include "product_request.hpp"

#include <tiktrend/http/compression.hpp>
#include <tiktrend/http/headers.hpp>

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiktrend::gateway {

/// Lists that this thread was asked for before, by the text of their query, so that the hottest request of
/// the gateway is neither read nor checked again. What a query means depends on nothing but its text (and the
/// cursor secret, which is fixed), so nothing here goes stale; the answers themselves are the cache's
/// business. Not thread-safe.
class repeated_lists {
public:
    struct list {
        explicit list(product_request r);
        product_request request;
        cache::key key;

        /// The response fields that were made for the answer with this ETag, one set a coding.
        struct fields {
            std::string etag;
            http::headers headers;
        };
        fields& made_for(http::content_coding coding) noexcept {
            return made_[static_cast<std::size_t>(coding)];
        }

    private:
        std::array<fields, 2> made_;
    };
    using list_ptr = std::shared_ptr<list>;

    /// Null if the query was not seen, or not lately.
    list_ptr find(std::string_view query) const;
    /// Takes in what a query that was found valid means. Long queries are understood but not kept.
    list_ptr remember(std::string_view query, product_request request);

    std::size_t size() const noexcept { return by_query_.size(); }

    static constexpr std::size_t most = 1000;    ///< queries; all are dropped when there are more
    static constexpr std::size_t longest = 1024; ///< bytes of a query that is kept

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
    };
    std::unordered_map<std::string, list_ptr, text_hash, std::equal_to<>> by_query_;
};

} // namespace tiktrend::gateway
