#pragma once
#include <string>
#include <string_view>

namespace tiktrend::queue {

/// Keys of groups (lua/includes/groups.lua lists them all).
inline std::string group_wait_key(std::string_view key_base, std::string_view group) {
    return std::string{key_base} + "group:" + std::string{group} + ":wait"; // zset
}

/// The rule for a group's id; empty if `group` follows it.
std::string_view broken_group_rule(std::string_view group) noexcept;

} // namespace tiktrend::queue
