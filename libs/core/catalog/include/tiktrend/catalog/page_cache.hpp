#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace tiktrend::catalog {

/// What is remembered about a fetched page, so that the next visit can ask "has it changed?" (RFC 9110
/// section 13).
struct cached_page {
    std::string url;                          ///< key: the final request URL
    std::optional<std::string> etag;          ///< as received, with quotes and W/
    std::optional<std::string> last_modified; ///< as received
    std::string digest; ///< of the decoded body; the caller chooses the function, the store compares nothing
    std::int64_t found = 0; ///< products on the page, for the totals of a 304
    std::int64_t fetched_at_ms = 0;
};

/// Reads of page_cache; writes travel with product_store::commit_page.
class page_cache {
public:
    explicit page_cache(postgres::router& router) : router_{router} {}

    /// Read from the primary: a job may follow its predecessor at once.
    task<std::optional<cached_page>> find(const std::string& url);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
