#pragma once
#include <tiktrend/fetch/client.hpp>

#include <string_view>
#include <vector>

namespace tiktrend::fetch {

/// Collects the header lines that libcurl hands over one by one: the block of the final response, without
/// those of interim (1xx) ones and without trailers.
class header_block {
public:
    explicit header_block(std::size_t max_bytes) : max_bytes_{max_bytes} {}

    /// False: the block is larger than allowed.
    bool add_line(std::string_view line);

    bool has_begun() const noexcept { return bytes_ != 0; }
    std::size_t bytes() const noexcept { return bytes_; }
    std::vector<header> take() noexcept { return std::move(fields_); }
    /// All values of one field, joined with commas (RFC 9110 section 5.3).
    std::string joined(std::string_view name) const;

private:
    std::size_t max_bytes_;
    std::size_t bytes_ = 0;
    int status_ = 0;
    bool complete_ = false;
    std::vector<header> fields_;
};

} // namespace tiktrend::fetch
