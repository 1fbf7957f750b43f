#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/cache/response_cache.hpp>
#include <tiktrend/redis/subscriber.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tiktrend::cache {

/// The era or the generation in "TOKEN LSN".
inline std::string_view token_of(std::string_view guard) {
    return guard.substr(0, guard.find(' '));
}

/// What changes when a scope is cleared for good, of "CLEARED.CHANGED".
inline std::string_view clearing_of(std::string_view era) {
    return era.substr(0, era.find('.'));
}

/// How many loads run that no cache takes off the source.
struct bounded_loads {
    std::size_t running = 0;

    /// Held by a load. A null counter: it does not count.
    class place {
    public:
        place(bounded_loads* b, std::size_t most) : counted_{b} {
            if (b && b->running >= most)
                throw system_error{tiktrend::errc::overloaded, "too many loads without a cache"};
            if (b) ++b->running;
        }
        place(const place&) = delete;
        place& operator=(const place&) = delete;
        ~place() {
            if (counted_) --counted_->running;
        }

    private:
        bounded_loads* counted_;
    };
};

/// The three tiers of a response_cache: response_cache.cpp decides which of them answers, far_tier.cpp speaks
/// with Redis.
struct response_cache::impl {
    impl(redis::client& c, response_cache_options o);

    /// One way to the answer of one key, shared by all who ask meanwhile.
    struct flight {
        flight(asio::any_io_executor executor, const key& k) : name{k}, done{std::move(executor)} {}
        key name;
        event done;
        answer result;
        std::exception_ptr error;
    };
    using flight_ptr = std::shared_ptr<flight>;

    /// Held by the task of a flight: whatever ends the task, also a cancellation before its first step,
    /// nobody waits on.
    struct pilot {
        pilot(impl& o, flight_ptr f) : owner{&o}, mine{std::move(f)} {}
        pilot(pilot&& other) noexcept = default;
        pilot& operator=(pilot&&) = delete;
        ~pilot() {
            if (!mine || mine->done.is_set()) return;
            mine->error = std::make_exception_ptr(system_error{tiktrend::errc::stopped});
            owner->land(mine);
        }
        impl* owner;
        flight_ptr mine;
    };

    /// What Redis said about a key.
    struct far_state {
        bool reached = false;
        std::string era;
        std::string guard;
        entry_ptr value; ///< null: not there, or no longer valid
        entry_ptr stale; ///< not valid, but better than nothing
    };

    redis::subscriber::handlers handlers_of_follower();
    void changed(std::string_view redis_key);
    void all_changed();

    task<void> fly(pilot p, std::chrono::milliseconds ttl, loader load);
    void land(const flight_ptr& f);
    task<far_state> look_up(const key& k);
    task<answer> load_now(const key& k, const far_state& seen, std::chrono::milliseconds ttl, loader load);
    task<entry_ptr> old_answer(const key& k, const far_state& seen);
    task<fill_result> fill(const key& k, const far_state& seen, const entry& e);
    void note(const key& k, outcome o) const {
        if (options.on_outcome) options.on_outcome(k.scope(), o);
    }
    std::chrono::milliseconds jittered(std::chrono::milliseconds ttl);

    redis::client& far;
    response_cache_options options;
    near_cache near;
    default_random random;
    bounded_loads uncached;
    bool is_away = false;                        ///< the source, as the last load found it
    single_flight probe;                         ///< one load looks whether it is back
    near_cache::clock::time_point answered_at{}; ///< when a load last succeeded
    near_cache::clock::time_point rests_until{}; ///< while it is away it is not asked before
    bool started = false;
    bool stopped = false;
    bool joined = true;
    std::unordered_map<std::string, flight_ptr> flights; ///< those that may still be joined, by value key
    redis::subscriber follower;
    task_group tasks;
};

} // namespace tiktrend::cache
