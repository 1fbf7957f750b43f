#pragma once
#include "running_job.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::queue {

/// Words of a script call; those that are not views of something older are kept here. Room is taken once, so
/// that no word moves.
class word_list {
public:
    explicit word_list(std::size_t n) {
        words_.reserve(n);
        numbers_.reserve(n);
    }
    void add(std::string_view word) { words_.push_back(word); }
    void add_own(std::string word) { words_.emplace_back(texts_.emplace_back(std::move(word))); }
    void add(std::int64_t n);
    void add(const std::optional<std::int64_t>& n) { n ? add(*n) : add(std::string_view{}); }
    std::span<const std::string_view> words() const noexcept { return words_; }

private:
    std::vector<std::string_view> words_;
    std::vector<std::array<char, 20>> numbers_;
    std::deque<std::string> texts_;
};

/// The ten words by which finish_and_fetch.lua learns how a job ended. They are views of the job, which must
/// not change before the call was sent.
void add_settlement(word_list& words, const running_job& job);

/// `job` ends as `before` does, with an id and a value of its own: three words say so.
bool ends_alike(const running_job& job, const running_job& before) noexcept;

} // namespace tiktrend::queue
