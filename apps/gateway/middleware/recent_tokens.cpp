#include "middleware/recent_tokens.hpp"

#include <tiktrend/base/digest.hpp>

namespace tiktrend::gateway {

void recent_tokens::add(std::string_view token, clock::time_point now) {
    if (until_.size() >= most) until_.clear();
    until_[sha256(token)] = now + life;
}

void recent_tokens::remove(std::string_view token) {
    until_.erase(sha256(token));
}

bool recent_tokens::contains(std::string_view token, clock::time_point now) const {
    const auto it = until_.find(sha256(token));
    return it != until_.end() && it->second > now;
}

} // namespace tiktrend::gateway
