#include "call_words.hpp"

#include <charconv>

namespace tiktrend::queue {

void word_list::add(std::int64_t n) {
    auto& text = numbers_.emplace_back();
    const auto end = std::to_chars(text.data(), text.data() + text.size(), n).ptr;
    words_.emplace_back(text.data(), static_cast<std::size_t>(end - text.data()));
}

void add_settlement(word_list& words, const running_job& job) {
    const auto& s = job.outcome;
    std::string_view flag = s.lifo ? "R" : "L";
    if (s.what == settlement::kind::delayed) flag = s.spends_attempt ? "0" : "1";
    if (s.what == settlement::kind::release && s.pauses) flag = "P";
    words.add(to_string(s.what));
    words.add(job.id());
    words.add(job.token());
    words.add(s.value);
    words.add(s.stack);
    words.add(s.keep.count);
    words.add(s.keep.age ? std::optional<std::int64_t>{s.keep.age->count()} : std::nullopt);
    words.add(s.keep.limit);
    words.add(s.argument);
    if (s.telemetry_metadata.empty())
        words.add(flag);
    else
        words.add_own(std::string{flag} + s.telemetry_metadata);
}

bool ends_alike(const running_job& job, const running_job& before) noexcept {
    const auto &a = job.outcome, &b = before.outcome;
    return a.what == b.what && job.token() == before.token() && a.keep == b.keep &&
           a.argument == b.argument && a.lifo == b.lifo && a.spends_attempt == b.spends_attempt &&
           a.pauses == b.pauses && a.stack == b.stack && a.telemetry_metadata == b.telemetry_metadata;
}

} // namespace tiktrend::queue
