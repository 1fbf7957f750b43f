#pragma once
#include <cstdint>
#include <memory>
#include <vector>

namespace tiktrend::sources {

/// Hashes of the keys that a scrape has seen. A scrape may see hundreds of thousands, and each page looks for
/// its own and adds them: hence sorted runs, each at least twice as long as the next, which a key leaves for
/// a longer one only a few times. Runs never change, so copies share them.
class key_history {
public:
    bool contains(std::uint64_t hash) const noexcept;
    /// `fresh` is sorted.
    void add(std::vector<std::uint64_t> fresh);

private:
    using run = std::shared_ptr<const std::vector<std::uint64_t>>;
    std::vector<run> runs_;
};

} // namespace tiktrend::sources
