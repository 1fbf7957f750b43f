#pragma once
#include <cstddef>

namespace tiktrend::http {

/// What one connection holds of the memory for request bodies; the total is its server's, and must outlive
/// it.
class body_share {
public:
    explicit body_share(std::size_t& total) noexcept : total_{total} {}
    body_share(const body_share&) = delete;
    body_share& operator=(const body_share&) = delete;
    ~body_share() { set(0); }

    void set(std::size_t bytes) noexcept {
        total_ += bytes - mine_;
        mine_ = bytes;
    }

private:
    std::size_t& total_;
    std::size_t mine_ = 0;
};

} // namespace tiktrend::http
