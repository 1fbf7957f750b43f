#include "slot.hpp"

#include <array>
#include <charconv>

namespace tiktrend::redis {
namespace {

/// CRC-16/XMODEM, polynomial 0x1021.
constexpr std::array<std::uint16_t, 256> make_table() {
    std::array<std::uint16_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i << 8;
        for (int bit = 0; bit < 8; ++bit)
            crc = (crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1;
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}
constexpr auto crc_table = make_table();

std::uint16_t crc16(std::string_view bytes) noexcept {
    std::uint16_t crc = 0;
    for (const char c : bytes) {
        const auto index = static_cast<std::uint8_t>((crc >> 8) ^ static_cast<std::uint8_t>(c));
        crc = static_cast<std::uint16_t>((crc << 8) ^ crc_table[index]);
    }
    return crc;
}

template <class I>
bool take_number(std::string_view text, I& out) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size();
}

std::string_view take_word(std::string_view& text) noexcept {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    return word;
}

} // namespace

std::uint16_t slot_of_key(std::string_view key) noexcept {
    if (const auto open = key.find('{'); open != std::string_view::npos) {
        const auto close = key.find('}', open + 1);
        if (close != std::string_view::npos && close > open + 1) key = key.substr(open + 1, close - open - 1);
    }
    return crc16(key) % slot_count;
}

std::optional<std::string_view> first_key(const command& c) {
    const auto name = c.name();
    constexpr std::array keyless{"PING",    "INFO",      "CLIENT",  "CONFIG", "SCRIPT",  "WAIT",
                                 "CLUSTER", "MULTI",     "EXEC",    "TIME",   "DBSIZE",  "ACL",
                                 "PUBLISH", "SUBSCRIBE", "SCAN",    "KEYS",   "DISCARD", "ROLE",
                                 "COMMAND", "FLUSHALL",  "FLUSHDB", "ASKING"};
    for (const std::string_view k : keyless)
        if (name == k) return {};
    std::size_t at = 1;
    if (name == "EVAL" || name == "EVALSHA" || name == "FCALL") {
        if (c.word(2) == "0") return {};
        at = 3;
    } else if (name == "XREAD" || name == "XREADGROUP") {
        while (at < c.words() && c.word(at) != "STREAMS")
            ++at;
        ++at;
    } else if (name == "XINFO" || name == "XGROUP" || name == "OBJECT" || name == "MEMORY" ||
               name == "BITOP") {
        at = 2;
    }
    if (at >= c.words()) return {};
    return c.word(at);
}

std::optional<redirection> redirection_in(std::string_view text) noexcept {
    redirection r;
    const auto kind = take_word(text);
    if (kind != "MOVED" && kind != "ASK") return {};
    r.is_ask = kind == "ASK";
    if (!take_number(take_word(text), r.slot) || r.slot >= slot_count) return {};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || !take_number(text.substr(colon + 1), r.port)) return {};
    r.host = text.substr(0, colon);
    return r;
}

} // namespace tiktrend::redis
