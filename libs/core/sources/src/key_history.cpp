#include <tiktrend/sources/key_history.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tiktrend::sources {

bool key_history::contains(std::uint64_t hash) const noexcept {
    return std::any_of(runs_.begin(), runs_.end(),
                       [&](const run& r) { return std::binary_search(r->begin(), r->end(), hash); });
}

void key_history::add(std::vector<std::uint64_t> fresh) {
    if (fresh.empty()) return;
    while (!runs_.empty() && runs_.back()->size() < 2 * fresh.size()) {
        const auto& last = *runs_.back();
        std::vector<std::uint64_t> both;
        both.reserve(last.size() + fresh.size());
        std::merge(last.begin(), last.end(), fresh.begin(), fresh.end(), std::back_inserter(both));
        fresh = std::move(both);
        runs_.pop_back();
    }
    runs_.push_back(std::make_shared<const std::vector<std::uint64_t>>(std::move(fresh)));
}

} // namespace tiktrend::sources
