#include <tiktrend/report/report_limit.hpp>

namespace tiktrend::report {

namespace {
constexpr std::size_t max_kinds = 200;
}

report_limit::verdict report_limit::decide(const std::string& kind, time now) {
    using namespace std::chrono_literals;
    const auto known = kinds_.find(kind);
    const bool is_repeat = known != kinds_.end() && now - known->second.last < same_every_;
    if (window_ == time::min() || now - window_ >= 1min) {
        window_ = now;
        in_window_ = 0;
    }
    if (is_repeat || in_window_ >= per_minute_ || now < silent_until_) {
        if (known != kinds_.end()) ++known->second.suppressed;
        return {};
    }
    ++in_window_;
    if (known == kinds_.end() && kinds_.size() >= max_kinds)
        std::erase_if(kinds_, [&](const auto& k) { return now - k.second.last >= same_every_; });
    verdict v{true, known == kinds_.end() ? 0 : known->second.suppressed};
    if (known != kinds_.end() || kinds_.size() < max_kinds) kinds_[kind] = {now, 0};
    return v;
}

} // namespace tiktrend::report
