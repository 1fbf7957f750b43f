#pragma once
#include <tiktrend/redis/command.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace tiktrend::redis {

constexpr std::size_t slot_count = 16384;

/// The slot of a key: CRC16 of its hash tag, or of all of it (redis.io/docs/reference/cluster-spec, "Key
/// distribution model").
std::uint16_t slot_of_key(std::string_view key) noexcept;

/// The first key of a command, as far as commands of this program have keys in other places than the second
/// word. Empty: it has none.
std::optional<std::string_view> first_key(const command& c);

/// What a node says when it does not have a key: "MOVED 3999 host:port" and "ASK 3999 host:port".
struct redirection {
    bool is_ask = false;
    std::uint16_t slot = 0;
    std::string_view host; ///< empty: the host that said so
    std::uint16_t port = 0;
};
std::optional<redirection> redirection_in(std::string_view server_text) noexcept;

} // namespace tiktrend::redis
