#pragma once
// Links found in pages: resolved against the page, only http and https.
#include "values/reject.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace tiktrend::sources {

/// The address of a page, parsed once for all links on it.
class page_address {
public:
    static constexpr std::size_t max_bytes = 2048; ///< of a link that is kept

    /// `url` may be empty or bad; then only absolute links can be resolved.
    explicit page_address(std::string_view url);
    ~page_address();
    page_address(page_address&&) noexcept;
    page_address& operator=(page_address&&) noexcept;

    /// The absolute form of `link`, which may be relative, protocol-relative or sloppy (blanks and characters
    /// beyond ASCII are percent-encoded). Refused: other schemes, user info, no host, more than max_bytes.
    converted<std::string> resolve(std::string_view link) const;

private:
    struct parts;
    std::unique_ptr<parts> parts_;
};

/// True if the authority of the absolute `url` is exactly what stands between its slashes: no user
/// information, a host, and a port from 1 to 65535 if there is a colon. Boost.URL 1.81 reads "http://a:1.b/"
/// as host a, port 1 and path ".b/", and takes port 99999 for 34463: nothing is to be asked, or listed as a
/// link, on the strength of that alone.
bool has_sound_authority(std::string_view url) noexcept;

/// Bytes that may not stand in a URL are percent-encoded; escapes that are there stay, a bare % becomes %25.
std::string tidy_url(std::string_view url);

} // namespace tiktrend::sources
