#pragma once
#include <tiktrend/http/router.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::gateway {

/// CORS_*: pages of which origins may call the API from a browser
/// (https://fetch.spec.whatwg.org/#http-cors-protocol).
struct cors_settings {
    std::vector<std::string>
        origins; ///< "https://app.example.test", exactly; "*" alone: every origin. Empty: none
    std::chrono::seconds max_age{600};
};

/// "scheme://host[:port]" as browsers send it: lower case, nothing behind it; or "*".
bool is_cors_origin(std::string_view text) noexcept;

/// Answers preflights and adds the fields that let a page read the answers. Credentials mode is never allowed
/// (callers send Authorization themselves, there are no cookies), so "*" is safe.
http::filter allow_origins(cors_settings settings);

} // namespace tiktrend::gateway
