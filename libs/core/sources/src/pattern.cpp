#include "pattern.hpp"

#include <re2/re2.h>

namespace tiktrend::sources {

result<std::shared_ptr<const pattern>, std::string> pattern::compile(std::string_view text) {
    if (text.size() > 1024) return std::string{"longer than 1024 bytes"};
    re2::RE2::Options options;
    options.set_max_mem(1 << 20);
    options.set_log_errors(false);
    auto compiled = std::make_unique<re2::RE2>(re2::StringPiece{text.data(), text.size()}, options);
    if (!compiled->ok()) return compiled->error();
    return std::shared_ptr<const pattern>{new pattern{std::move(compiled)}};
}

pattern::pattern(std::unique_ptr<const re2::RE2> compiled) noexcept : compiled_{std::move(compiled)} {}
pattern::~pattern() = default;

bool pattern::is_found_in(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece{text.data(), text.size()}, *compiled_);
}

std::optional<std::string_view> pattern::first_group(std::string_view text) const {
    re2::StringPiece groups[2];
    const int wanted = compiled_->NumberOfCapturingGroups() > 0 ? 2 : 1;
    if (!compiled_->Match(re2::StringPiece{text.data(), text.size()}, 0, text.size(), re2::RE2::UNANCHORED,
                          groups, wanted))
        return std::nullopt;
    const auto& group = groups[wanted - 1];
    if (group.data() == nullptr) return std::nullopt; // an optional group that took no part
    return std::string_view{group.data(), group.size()};
}

const std::string& pattern::text() const noexcept {
    return compiled_->pattern();
}

} // namespace tiktrend::sources
