#include "values/gtin.hpp"

namespace tiktrend::sources {

bool is_gtin(std::string_view text) noexcept {
    if (text.size() != 8 && text.size() != 12 && text.size() != 13 && text.size() != 14) return false;
    int sum = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] < '0' || text[i] > '9') return false;
        sum += (text[i] - '0') * ((text.size() - i) % 2 == 0 ? 3 : 1);
    }
    return sum % 10 == 0;
}

} // namespace tiktrend::sources
