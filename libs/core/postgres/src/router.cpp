#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/postgres/router.hpp>

#include <algorithm>
#include <deque>

namespace tiktrend::postgres {

using clock = std::chrono::steady_clock;

namespace {

constexpr std::string_view primary_position =
    "SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_insert_lsn() END::text";
constexpr std::string_view replica_position =
    "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() END::text";

/// Samples of the primary's position kept to tell how old what a replica lacks is: a minute of them.
constexpr std::size_t max_samples = 64;

/// Longest pause between two looks for a new primary behind the address, each of which connects anew.
constexpr std::chrono::milliseconds longest_search_pause{2'000};

/// Whether the primary may do what a replica could not. A statement that was too long for a replica is too
/// long for the primary as well. A conflict is "canceling statement due to conflict with recovery" on a
/// standby.
bool worth_another_server(const error_code& e) noexcept {
    return (is_unavailable(e) || is_retryable(e)) && e != errc::cancelled;
}

} // namespace

struct router::impl {
    struct replica {
        replica(const asio::any_io_executor& e, pool_options o) : servers{e, std::move(o)}, question{e} {}
        pool servers;
        lsn replayed;
        std::int64_t lag_bytes = 0;
        bool answered = false;  // to the last probe
        single_flight question; // for its position, between two probes
        std::chrono::milliseconds lag{0};
        bool serving = false;
        int good_in_row = 0;
        bool ever_served = false;
        std::string reason = "not probed yet";
    };

    impl(asio::any_io_executor e, router_options o)
        : options{std::move(o)}, primary{e, options.pool}, probes{e} {
        for (const auto& url : options.replica_urls) {
            if (url.empty() || url == options.pool.connection.url) continue;
            auto po = options.pool;
            po.connection.url = url;
            replicas.push_back(std::make_unique<replica>(e, std::move(po)));
        }
    }

    task<std::optional<lsn>> position(pool& where, std::string_view sql) {
        const auto answer = co_await within(options.probe_timeout, where.query(sql));
        const auto text = answer.front()[0].optional_text();
        co_return text ? lsn::parse(*text) : std::nullopt;
    }

    void note_sample(lsn at) {
        // A new primary that lacks what the old one wrote last: what lay ahead was never written.
        if (!samples.empty() && at < samples.back().second) samples.clear();
        samples.emplace_back(clock::now(), at);
        if (samples.size() > max_samples) samples.pop_front();
    }

    task<void> probe_primary() {
        auto pause = options.probe_interval;
        for (;;) {
            try {
                if (const auto at = co_await position(primary, primary_position)) {
                    note_sample(*at);
                    pause = options.probe_interval;
                } else {
                    if (pause == options.probe_interval)
                        options.log.warn("postgres_primary_is_standby",
                                         {{"database", primary.description()}});
                    primary.recycle(); // failover: the address may lead elsewhere now
                    pause = std::max(options.probe_interval, std::min(pause * 2, longest_search_pause));
                }
            } catch (const system_error& e) {
                if (is_cancelled(e.code()) || e.code() == tiktrend::errc::stopped) throw;
                // The pool tells about an unreachable server; replicas are judged by the samples there are.
            }
            co_await sleep_for(pause);
        }
    }

    task<void> probe_replica(replica& r) {
        for (;;) {
            bool busy = false;
            std::string failure;
            std::optional<lsn> at;
            try {
                at = co_await position(r.servers, replica_position);
                if (!at) failure = "not a standby";
            } catch (const system_error& e) {
                if (is_cancelled(e.code()) || e.code() == tiktrend::errc::stopped) throw;
                failure = e.what();
                // A pool whose connections are all at work says nothing about the server.
                busy =
                    r.serving && r.servers.in_use() >= r.servers.options().max_size && r.servers.is_healthy();
            }
            if (!busy) judge(r, at, std::move(failure));
            co_await sleep_for(options.probe_interval);
        }
    }

    void judge(replica& r, std::optional<lsn> at, std::string failure) {
        r.answered = at.has_value();
        if (at) {
            r.replayed = *at;
            const auto head = samples.empty() ? lsn{} : samples.back().second;
            r.lag_bytes = head > *at ? static_cast<std::int64_t>(head.value - at->value) : 0;
            // The oldest moment at which the primary had what the replica lacks.
            const auto missing =
                std::find_if(samples.begin(), samples.end(), [&](const auto& s) { return s.second > *at; });
            r.lag =
                missing == samples.end()
                    ? std::chrono::milliseconds{0}
                    : std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - missing->first);
            if (r.lag_bytes > options.max_lag_bytes)
                failure = "too many bytes behind";
            else if (r.lag > options.max_lag)
                failure = "too long behind";
        }
        if (!failure.empty()) {
            if (r.serving)
                options.log.warn("postgres_replica_ejected",
                                 {{"database", r.servers.description()}, {"reason", failure}});
            r.serving = false;
            r.good_in_row = 0;
            r.reason = std::move(failure);
            return;
        }
        ++r.good_in_row;
        // A replica that is new to us needs no probation.
        if (!r.serving && (!r.ever_served || r.good_in_row >= options.good_probes_to_return)) {
            r.serving = r.ever_served = true;
            options.log.info("postgres_replica_serving", {{"database", r.servers.description()}});
        }
        if (r.serving)
            r.reason.clear();
        else
            r.reason = "on probation";
    }

    replica* best(lsn at_least = {}) noexcept {
        replica* out = nullptr;
        const auto n = replicas.size();
        ++turn;
        for (std::size_t i = 0; i < n; ++i) {
            auto* r = replicas[(turn + i) % n].get();
            if (!r->serving || r->replayed < at_least) continue;
            if (!out || load(*r) < load(*out)) out = r;
        }
        return out;
    }

    /// Reads that the replicas have no room for come here only when no write would have to wait for them.
    bool primary_has_room() const noexcept {
        return primary.waiting() == 0 && primary.in_use() * 2 <= primary.options().max_size;
    }

    /// One question at a time for all who wait, never cut short: ending a statement costs its connection.
    task<void> ask_position(replica& r, single_flight::lead /*until it ends*/) {
        try {
            if (const auto at = co_await position(r.servers, replica_position))
                r.replayed = std::max(r.replayed, *at);
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw; // the probe says the rest
        }
    }

    static std::size_t load(const replica& r) noexcept { return r.servers.in_use() + r.servers.waiting(); }

    read_choice choice(replica* r) noexcept {
        return r ? read_choice{&r->servers, {false, r->replayed}} : read_choice{&primary, {}};
    }

    router_options options;
    pool primary;
    std::vector<std::unique_ptr<replica>> replicas;
    std::deque<std::pair<steady_time, lsn>> samples; ///< of the primary, oldest first
    std::size_t turn = 0;
    bool is_stopping = false;
    task_group probes;
};

router::router(asio::any_io_executor executor, router_options options)
    : impl_{std::make_unique<impl>(std::move(executor), std::move(options))} {}

router::~router() = default;

void router::start() {
    impl_->primary.start();
    if (impl_->replicas.empty() || impl_->probes.size()) return;
    impl_->probes.spawn("probe primary", impl_->probe_primary());
    for (auto& r : impl_->replicas) {
        r->servers.start();
        impl_->probes.spawn("probe " + r->servers.description(), impl_->probe_replica(*r));
    }
}

task<void> router::stop(std::chrono::milliseconds grace) {
    impl_->is_stopping = true;
    impl_->probes.cancel();
    co_await impl_->probes.join();
    const auto deadline = clock::now() + grace;
    const auto left = [&] {
        return std::max(std::chrono::ceil<std::chrono::milliseconds>(deadline - clock::now()),
                        std::chrono::milliseconds{0});
    };
    for (auto& r : impl_->replicas)
        co_await r->servers.stop(left());
    co_await impl_->primary.stop(left());
}

pool& router::write() noexcept {
    return impl_->primary;
}
task<lsn> router::position() {
    const auto answer = co_await impl_->primary.query(primary_position);
    const auto text = answer.front()[0].optional_text();
    const auto at = text ? lsn::parse(*text) : std::nullopt;
    if (!at) throw system_error{make_error_code(errc::read_only), impl_->primary.description()};
    co_return *at;
}
read_choice router::read() noexcept {
    return impl_->choice(impl_->best());
}

task<read_choice> router::read_at(lsn at_least) {
    const auto deadline = clock::now() + impl_->options.consistency_wait;
    for (;;) {
        if (auto* r = impl_->best(at_least)) co_return impl_->choice(r);
        auto* behind = impl_->best();
        if (!behind || impl_->is_stopping || clock::now() >= deadline) co_return impl_->choice(nullptr);
        // Probes are a second apart; ask again now.
        if (!behind->question.is_taken())
            impl_->probes.spawn("position of " + behind->servers.description(),
                                impl_->ask_position(*behind, behind->question.take()));
        co_await behind->question.wait_until(deadline);
        if (behind->replayed < at_least) co_await sleep_for(std::chrono::milliseconds{5});
    }
}

task<read_result> router::query(std::string_view sql, const params& values, lsn at_least) {
    const auto where = at_least.value ? co_await read_at(at_least) : read();
    if (!where.point.is_primary) {
        try {
            co_return read_result{co_await where.where->query(sql, values), where.point};
        } catch (const system_error& e) {
            if (!worth_another_server(e.code())) throw;
            if (e.code() == errc::pool_timeout && !impl_->primary_has_room()) throw;
            impl_->options.log.warn("postgres_read_moved_to_primary",
                                    {{"database", where.where->description()}, {"error", e.what()}});
        }
    }
    co_return read_result{co_await impl_->primary.query(sql, values), {}};
}

task<rows> router::find(std::string_view sql, const params& values) {
    auto found = co_await query(sql, values);
    if (!found.answer.empty() || found.point.is_primary) co_return std::move(found.answer);
    co_return co_await impl_->primary.query(sql, values);
}

std::vector<router::replica_state> router::replicas() const {
    std::vector<replica_state> out;
    for (const auto& r : impl_->replicas)
        out.push_back({r->servers.description(), r->serving, r->replayed, r->lag_bytes, r->lag, r->reason,
                       r->answered});
    return out;
}

std::size_t router::in_use() const noexcept {
    auto n = impl_->primary.in_use();
    for (const auto& r : impl_->replicas)
        n += r->servers.in_use();
    return n;
}

std::size_t router::idle() const noexcept {
    auto n = impl_->primary.idle();
    for (const auto& r : impl_->replicas)
        n += r->servers.idle();
    return n;
}

std::size_t router::waiting() const noexcept {
    auto n = impl_->primary.waiting();
    for (const auto& r : impl_->replicas)
        n += r->servers.waiting();
    return n;
}

} // namespace tiktrend::postgres
