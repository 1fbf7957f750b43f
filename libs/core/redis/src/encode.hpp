#pragma once
// RESP2 requests (redis.io/docs/reference/protocol-spec, "Sending commands to a Redis server").
#include <array>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

namespace tiktrend::redis {

/// A number as text without a heap allocation.
class decimal {
public:
    template <class I>
    explicit decimal(I n) noexcept {
        size_ = static_cast<std::size_t>(std::to_chars(text_.data(), text_.data() + text_.size(), n).ptr -
                                         text_.data());
    }
    std::string_view view() const noexcept { return {text_.data(), size_}; }

private:
    std::array<char, 24> text_;
    std::size_t size_ = 0;
};

inline void append_header(std::string& out, char mark, std::size_t n) {
    out += mark;
    out += decimal{n}.view();
    out += "\r\n";
}

inline void append_word(std::string& out, std::string_view word) {
    append_header(out, '$', word.size());
    out += word;
    out += "\r\n";
}

} // namespace tiktrend::redis
