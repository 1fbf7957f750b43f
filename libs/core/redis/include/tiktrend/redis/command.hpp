#pragma once
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tiktrend::redis {

/// One command as RESP2 bytes, built word by word (binary safe). The words are copied.
class command {
public:
    explicit command(std::string_view name);
    template <class... Words>
    explicit command(std::string_view name, const Words&... words) : command{name} {
        (arg(words), ...);
    }

    command& arg(std::string_view word);
    command& arg(const char* word) { return arg(std::string_view{word}); }
    command& arg(const std::string& word) { return arg(std::string_view{word}); }
    command& arg(std::integral auto n) {
        if constexpr (std::is_signed_v<decltype(n)>)
            return number(static_cast<std::int64_t>(n));
        else
            return unsigned_number(static_cast<std::uint64_t>(n));
    }
    command& args(std::span<const std::string_view> words);

    /// Room for `n` more bytes, when the caller knows.
    command& reserve(std::size_t n);

    /// The whole request (RESP array of bulk strings).
    std::string encoded() const;
    /// Appends what encoded() gives.
    void append_to(std::string& out) const;
    std::size_t encoded_size() const noexcept { return body_.size() + 16; } ///< at most
    std::size_t words() const noexcept { return words_; }
    /// Word i (0: the name); empty if there is none. Walks from the start.
    std::string_view word(std::size_t i) const noexcept;
    std::string_view name() const noexcept { return name_; }

private:
    command& number(std::int64_t n);
    command& unsigned_number(std::uint64_t n);
    std::string name_;
    std::string body_; ///< the words without the array header
    std::size_t words_ = 0;
};

} // namespace tiktrend::redis
