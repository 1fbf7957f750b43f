#pragma once
#include <cstddef>
#include <memory>

namespace tiktrend::fetch {

class transfer;

/// The cookies of one visitor, in memory. libcurl's engine decides which are accepted (no domain but the
/// site's own, none for a public suffix: libpsl; at most 50 of one response) and where they are sent. Belongs
/// to one executor.
class cookie_jar {
public:
    static constexpr std::size_t max_cookies = 300; ///< a response that takes it above empties the jar

    cookie_jar();
    ~cookie_jar();
    cookie_jar(const cookie_jar&) = delete;
    cookie_jar& operator=(const cookie_jar&) = delete;

    /// As of the last response that was read with it.
    std::size_t size() const noexcept;

private:
    friend class transfer;
    struct impl;
    std::unique_ptr<impl> impl_;
};

} // namespace tiktrend::fetch
