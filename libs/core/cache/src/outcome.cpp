#include <tiktrend/cache/response_cache.hpp>

namespace tiktrend::cache {

std::string_view to_string(outcome o) noexcept {
    switch (o) {
    case outcome::hit_near:
        return "hit_near";
    case outcome::hit:
        return "hit";
    case outcome::miss:
        return "miss";
    case outcome::coalesced:
        return "coalesced";
    case outcome::bypass:
        return "bypass";
    case outcome::stale:
        return "stale";
    }
    return "unknown";
}

std::string_view to_string(fill_result r) noexcept {
    switch (r) {
    case fill_result::stored:
        return "stored";
    case fill_result::moved:
        return "moved";
    case fill_result::too_old:
        return "too_old";
    case fill_result::too_large:
        return "too_large";
    case fill_result::failed:
        return "failed";
    }
    return "unknown";
}

} // namespace tiktrend::cache
