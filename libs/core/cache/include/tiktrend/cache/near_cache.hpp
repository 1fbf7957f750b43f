#pragma once
#include <tiktrend/cache/entry.hpp>

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiktrend::cache {

/// Answers in this process's memory, least recently used first out. Knows nothing of Redis: its owner tells
/// it which guard keys changed and when it may not be trusted. Not thread-safe.
///
/// An answer may be stored only through a ticket taken before it was read, so that an invalidation that
/// overtakes the reply wins.
class near_cache {
public:
    using clock = std::chrono::steady_clock;

    struct options {
        options() {}
        std::size_t max_bytes = 32U << 20; ///< 0 switches it off
        std::chrono::milliseconds max_age{
            30'000}; ///< longest life of an entry, whatever its time to live in Redis
    };

    class ticket;

    explicit near_cache(options o = options{}) : options_{o} {}
    near_cache(const near_cache&) = delete;
    near_cache& operator=(const near_cache&) = delete;

    /// Null if absent, invalidated or too old.
    entry_ptr find(std::string_view key, clock::time_point now);

    /// Announces that the answer for a key guarded by `guard` is about to be read.
    ticket expect(std::string_view guard);
    /// Stores it, unless the guard changed, everything was dropped or the cache was off since expect(). True
    /// if stored.
    bool store(const ticket& t, std::string_view key, entry_ptr e, clock::time_point now);

    /// The guard changed: what it guards no longer counts, nor does what is being read.
    void invalidate(std::string_view guard);
    void clear();

    /// Off: holds nothing, stores nothing. Starts off.
    void set_trusted(bool trusted);
    bool is_trusted() const noexcept { return trusted_; }

    std::size_t size() const noexcept { return slots_.size(); }
    std::size_t bytes() const noexcept { return bytes_; }

private:
    /// Counts the changes of one guard key while anybody depends on it.
    struct guard_state {
        std::string name;
        std::uint64_t changes = 0;
    };
    using guard_ptr = std::shared_ptr<guard_state>;
    struct slot {
        std::string key;
        entry_ptr value;
        guard_ptr guard;
        std::uint64_t changes;
        clock::time_point expires;
        std::size_t bytes;
    };
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view s) const noexcept { return std::hash<std::string_view>{}(s); }
    };

    guard_ptr guard(std::string_view name);
    void erase(std::list<slot>::iterator s);

    options options_;
    bool trusted_ = false;
    std::uint64_t clears_ = 0;
    std::size_t bytes_ = 0;
    std::unordered_map<std::string, std::weak_ptr<guard_state>, text_hash, std::equal_to<>>
        guards_;            ///< outlives the slots, which leave it
    std::list<slot> slots_; ///< most recently used first
    std::unordered_map<std::string_view, std::list<slot>::iterator, text_hash, std::equal_to<>> by_key_;
};

/// Says what was known before the read. Empty if the cache was off. Must not outlive the cache.
class near_cache::ticket {
    friend class near_cache;
    guard_ptr guard_;
    std::uint64_t changes_ = 0;
    std::uint64_t clears_ = 0;
};

} // namespace tiktrend::cache
