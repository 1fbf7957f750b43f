#include "encode.hpp"

#include <tiktrend/redis/command.hpp>

namespace tiktrend::redis {

command::command(std::string_view name) : name_{name} {
    arg(name);
}

command& command::arg(std::string_view word) {
    append_word(body_, word);
    ++words_;
    return *this;
}

command& command::args(std::span<const std::string_view> words) {
    for (const auto w : words)
        arg(w);
    return *this;
}

command& command::number(std::int64_t n) {
    const decimal text{n};
    return arg(text.view());
}

command& command::unsigned_number(std::uint64_t n) {
    const decimal text{n};
    return arg(text.view());
}

command& command::reserve(std::size_t n) {
    body_.reserve(body_.size() + n);
    return *this;
}

std::string_view command::word(std::size_t i) const noexcept {
    std::string_view rest = body_;
    for (; i < words_ && !rest.empty(); --i) {
        std::size_t size = 0; // "$5\r\nhello\r\n"
        const auto line = rest.find('\r');
        std::from_chars(rest.data() + 1, rest.data() + line, size);
        if (i == 0) return rest.substr(line + 2, size);
        rest.remove_prefix(line + 2 + size + 2);
    }
    return {};
}

void command::append_to(std::string& out) const {
    append_header(out, '*', words_);
    out += body_;
}

std::string command::encoded() const {
    std::string out;
    out.reserve(body_.size() + 16);
    append_to(out);
    return out;
}

} // namespace tiktrend::redis
