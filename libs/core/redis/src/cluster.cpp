#include "cluster.hpp"

#include <tiktrend/base/timeout.hpp>

#include <algorithm>
#include <utility>

namespace tiktrend::redis {
namespace {

constexpr std::chrono::milliseconds shortest_refresh{50};
constexpr std::chrono::seconds longest_refresh{30}; ///< a map is read again after so long, whatever happened
constexpr std::chrono::milliseconds pause_between{20};

std::vector<endpoint> with(std::vector<endpoint> first, const std::vector<endpoint>& more) {
    for (const auto& node : more)
        if (std::find(first.begin(), first.end(), node) == first.end()) first.push_back(node);
    return first;
}

client_options of_one_node(client_options o) {
    o.wait_for_connection = false; // the cluster waits: another node may have the slot by then
    return o;
}

} // namespace

cluster::cluster(const asio::any_io_executor& executor, address where, client_options options)
    : executor_{executor}, where_{std::move(where)}, options_{std::move(options)}, known_{where_.nodes},
      stale_{executor}, changed_{executor}, no_attempt_{executor}, stopping_{executor}, tasks_{executor} {}

cluster::~cluster() = default; // each lane asserts that it was stopped

void cluster::start() {
    if (is_started_ || is_stopped_) return;
    is_started_ = true;
    stale_.set();
    tasks_.spawn("redis cluster map", follow_map());
}

/// When it ends nothing refers to the cluster any more: neither its own loop, nor a lane, nor a call.
task<void> cluster::stop() {
    is_stopped_ = true;
    stopping_.set();
    changed_.notify_all();
    tasks_.cancel();
    co_await tasks_.join();
    for (auto& [name, known] : std::exchange(lanes_, {}))
        retired_.push_back(std::move(known.line));
    for (const auto& l : retired_)
        co_await l->stop();
    while (attempts_ > 0)
        co_await no_attempt_.wait();
}

lane& cluster::lane_at(const endpoint& node) {
    if (is_stopped_) throw system_error{tiktrend::errc::stopped, text()};
    auto& [line, since] = lanes_[node.to_string()];
    if (!line) {
        line = std::make_unique<lane>(executor_, at_node(where_, node), of_one_node(options_));
        since = clock::now();
        line->start();
    }
    return *line;
}

void cluster::take_map(const std::vector<slot_range>& ranges) {
    slots_.fill(nullptr);
    owners_.clear();
    std::vector<endpoint> nodes;
    for (const auto& range : ranges) {
        auto& l = lane_at(range.owner);
        std::fill(slots_.begin() + range.first, slots_.begin() + range.last + 1, &l);
        if (std::find(owners_.begin(), owners_.end(), &l) == owners_.end()) {
            owners_.push_back(&l);
            nodes.push_back(range.owner);
        }
    }
    known_ = with(std::move(nodes), where_.nodes);
}

/// Reads the map whenever somebody found it stale, and now and then without being asked.
task<void> cluster::follow_map() {
    std::shared_ptr<asio::ssl::context> tls;
    while (!is_stopped_) {
        co_await stale_.wait_for(longest_refresh);
        stale_.reset();
        try {
            if (where_.tls && !tls) tls = make_tls_context(where_);
            take_map(co_await read_slots(executor_, where_, tls, known_));
            last_failure_.clear();
            co_await retire_lanes();
        } catch (const system_error& e) {
            if (is_stopped_ || is_cancelled(e.code())) break;
            last_failure_ = e.what();
            options_.log.warn("redis_cluster_map_unknown", {{"server", text()}, {"error", e.what()}});
            stale_.set();
        }
        changed_.notify_all();
        co_await sleep_for(stale_.is_set() ? options_.reconnect_min : shortest_refresh);
    }
}

bool cluster::is_in_use(const lane& l) const noexcept {
    return std::find(slots_.begin(), slots_.end(), &l) != slots_.end();
}

/// A node that owns nothing and does not answer has left, unless it has just been named by another (MOVED,
/// ASK) and is still being connected to. Its lane stays in memory, since a call may still end there.
task<void> cluster::retire_lanes() {
    const auto young = clock::now() - options_.connect_timeout;
    for (auto it = lanes_.begin(); it != lanes_.end();) {
        auto& [l, since] = it->second;
        if (l->is_connected() || since > young || is_in_use(*l)) {
            ++it;
            continue;
        }
        retired_.push_back(std::move(l));
        lanes_.erase(it);
        co_await retired_.back()->stop();
        it = lanes_.begin(); // others may have come meanwhile
    }
}

task<lane*> cluster::owner(std::optional<std::uint16_t> slot, clock::time_point deadline) {
    for (;;) {
        if (!is_started_ || is_stopped_) throw system_error{tiktrend::errc::stopped, text()};
        if (slot && slots_[*slot]) co_return slots_[*slot];
        if (!slot)
            for (auto* l : owners_)
                if (l->is_connected()) co_return l;
        stale_.set();
        if (!co_await changed_.wait_until(deadline))
            throw system_error{errc::not_connected,
                               last_failure_.empty() ? text() + ": nobody owns the slot" : last_failure_};
    }
}

/// One call's way through redirections and failovers.
class cluster::attempt {
public:
    attempt(cluster& c, std::optional<std::uint16_t> slot)
        : cluster_{c}, slot_{slot}, deadline_{clock::now() + c.options_.command_timeout} {
        ++cluster_.attempts_;
    }
    ~attempt() {
        if (--cluster_.attempts_ == 0) cluster_.no_attempt_.notify_all();
    }
    attempt(const attempt&) = delete;
    attempt& operator=(const attempt&) = delete;

    task<lane*> next_lane() {
        if (asked_) co_return asked_;
        // Who fails fast still waits for the first map, which takes one round trip.
        const auto patience = cluster_.options_.wait_for_connection
                                  ? deadline_
                                  : std::min(deadline_, clock::now() + std::chrono::milliseconds{500});
        co_return co_await cluster_.owner(slot_, patience);
    }
    bool is_asking() const noexcept { return asked_ != nullptr; }

    /// `again`: the call did not run there; next_lane() says where it may. `follows_ask`: the call is for one
    /// key.
    task<verdict> judge(const lane& from, const reply& r, bool follows_ask) {
        asked_ = nullptr;
        if (!r.is_error()) co_return verdict::done;
        if (const auto to = redirection_in(r.text())) {
            if (++redirections_ > 100) co_return verdict::done; // two nodes that name each other
            const endpoint node{to->host.empty() ? from.line().where().host : std::string{to->host},
                                to->port};
            if (!to->is_ask) {
                cluster_.slots_[to->slot] = &cluster_.lane_at(node);
                cluster_.stale_.set();
                // A lane that was made just now connects first.
                co_await ready(*cluster_.slots_[to->slot]);
            } else if (follows_ask) {
                asked_ = &cluster_.lane_at(node);
                co_await ready(*asked_);
            } else {
                co_await pause("slot " + std::to_string(to->slot) + " is on its way to another node");
            }
            co_return verdict::again;
        }
        if (r.text().starts_with("TRYAGAIN")) {
            co_await pause(r.text());
            co_return verdict::again;
        }
        co_return verdict::done;
    }

    /// The call failed for lack of a server. Returns if it may be tried again; rethrows `error` otherwise.
    task<void> survive(std::exception_ptr error, error_code code) {
        asked_ = nullptr;
        if (cluster_.is_stopped_) std::rethrow_exception(error);
        cluster_.stale_.set(); // a replica may have taken over
        // `stopped` is a lane that was retired before the call reached it.
        const bool is_not_executed =
            code == errc::not_connected || code == errc::not_ready || code == tiktrend::errc::stopped;
        const bool may_wait =
            cluster_.options_.wait_for_connection && clock::now() < deadline_ && is_not_executed;
        if (!may_wait && code == tiktrend::errc::stopped)
            throw system_error{errc::not_connected, cluster_.text() + ": its node has left the cluster"};
        if (!may_wait) std::rethrow_exception(error);
        co_await cluster_.changed_.wait_for(pause_between);
    }

private:
    task<void> ready(lane& l) {
        if (l.is_connected()) co_return;
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock::now());
        co_await l.wait_connected(std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds{1},
                                                                        cluster_.options_.connect_timeout));
    }
    task<void> pause(std::string_view why) {
        if (clock::now() >= deadline_)
            throw server_error{errc::not_ready, cluster_.text(), std::string{why}}; // certainly not executed
        co_await cluster_.stopping_.wait_for(pause_between);
    }

    cluster& cluster_;
    std::optional<std::uint16_t> slot_;
    clock::time_point deadline_;
    lane* asked_ = nullptr;
    int redirections_ = 0;
};

task<reply> cluster::exec(const command& c) {
    const auto key = first_key(c);
    attempt way{*this, key ? std::optional{slot_of_key(*key)} : std::nullopt};
    for (;;) {
        std::exception_ptr error;
        error_code code;
        try {
            auto* l = co_await way.next_lane();
            reply r;
            if (way.is_asking()) {
                const command both[]{command{"ASKING"}, c};
                r = (co_await l->exec_all(both)).at(1);
            } else {
                r = co_await l->exec(c);
            }
            if (co_await way.judge(*l, r, true) == verdict::done) co_return r;
            continue;
        } catch (const system_error& e) {
            error = std::current_exception();
            code = e.code();
        }
        co_await way.survive(error, code);
    }
}

task<reply> cluster::eval(const script& s, std::span<const std::string_view> keys,
                          std::span<const std::string_view> args) {
    // Kept for another attempt: the caller's views end with the first suspension.
    const std::vector<std::string> kept_keys{keys.begin(), keys.end()}, kept_args{args.begin(), args.end()};
    const std::vector<std::string_view> key_views{kept_keys.begin(), kept_keys.end()},
        arg_views{kept_args.begin(), kept_args.end()};
    attempt way{*this, keys.empty() ? std::nullopt : std::optional{slot_of_key(key_views[0])}};
    for (;;) {
        std::exception_ptr error;
        error_code code;
        try {
            auto* l = co_await way.next_lane();
            auto r = co_await l->eval(s, key_views, arg_views);
            if (co_await way.judge(*l, r, false) == verdict::done) co_return r;
            continue;
        } catch (const system_error& e) {
            error = std::current_exception();
            code = e.code();
        }
        co_await way.survive(error, code);
    }
}

task<std::vector<reply>> cluster::exec_all(std::span<const command> commands) {
    if (commands.empty()) co_return std::vector<reply>{};
    std::optional<std::uint16_t> slot;
    bool is_one_slot = true;
    for (const auto& c : commands) {
        const auto key = first_key(c);
        if (!key) continue;
        const auto s = slot_of_key(*key);
        is_one_slot = is_one_slot && (!slot || *slot == s);
        slot = s;
    }
    std::vector<reply> replies;
    if (!is_one_slot) {
        for (const auto& c : commands)
            replies.push_back(co_await exec(c));
        co_return replies;
    }
    attempt way{*this, slot};
    for (;;) {
        std::exception_ptr error;
        error_code code;
        try {
            auto* l = co_await way.next_lane();
            replies = co_await l->exec_all(commands);
            const bool is_transaction = commands.front().name() == "MULTI";
            auto said = verdict::done;
            for (std::size_t i = 0; i < replies.size() && said == verdict::done; ++i)
                if (replies[i].is_error()) {
                    said = co_await way.judge(*l, replies[i], false);
                    // Outside a transaction the others have run: only this one goes again.
                    if (said == verdict::again && !is_transaction) {
                        replies[i] = co_await exec(commands[i]);
                        said = verdict::done;
                    }
                }
            if (said == verdict::done) co_return replies;
            continue;
        } catch (const system_error& e) {
            error = std::current_exception();
            code = e.code();
        }
        co_await way.survive(error, code);
    }
}

task<std::vector<lane*>> cluster::every_lane() {
    attempt way{*this, std::nullopt};
    co_await way.next_lane(); // the map is there
    co_return owners_;
}

bool cluster::is_connected() const noexcept {
    return is_started_ && !is_stopped_ && !owners_.empty() &&
           std::all_of(owners_.begin(), owners_.end(), [](const lane* l) { return l->is_connected(); });
}

task<void> cluster::wait_connected(std::chrono::milliseconds limit) {
    const auto deadline = clock::now() + limit;
    while (!is_connected()) {
        if (!is_started_ || is_stopped_) throw system_error{tiktrend::errc::stopped, text()};
        if (clock::now() >= deadline)
            throw system_error{errc::not_connected, last_failure_.empty() ? text() : last_failure_};
        co_await changed_.wait_until(std::min(deadline, clock::now() + pause_between));
    }
}

std::uint64_t cluster::connects() const noexcept {
    std::uint64_t sum = 0;
    for (const auto& [name, known] : lanes_)
        sum += known.line->connects();
    return sum;
}

} // namespace tiktrend::redis
