#pragma once
#include "lane.hpp"
#include "slot.hpp"
#include "topology.hpp"

#include <array>
#include <map>

namespace tiktrend::redis {

/// A client of a Redis Cluster: a lane per node, commands by the slot of their first key. A redirection
/// (MOVED) is followed and makes the map of slots be read again; a slot on its way to another node (ASK) is
/// followed by single commands, while scripts wait until it has arrived, because they touch keys that are
/// still on the other side. See client for what the calls promise.
class cluster {
public:
    cluster(const asio::any_io_executor& executor, address where, client_options options);
    ~cluster();

    void start();
    task<void> stop();
    /// The map is known, and every node that owns slots is connected.
    task<void> wait_connected(std::chrono::milliseconds limit);
    bool is_connected() const noexcept;

    task<reply> exec(const command& c);
    /// Commands of one transaction (the first is MULTI) go to one node together; others each to their own.
    task<std::vector<reply>> exec_all(std::span<const command> commands);
    /// Of all nodes that own slots. They live as long as the cluster, whatever becomes of their nodes.
    task<std::vector<lane*>> every_lane();
    task<reply> eval(const script& s, std::span<const std::string_view> keys,
                     std::span<const std::string_view> args);

    std::uint64_t connects() const noexcept;

private:
    using clock = std::chrono::steady_clock;
    /// What to do with a reply, or with the failure to get one.
    enum class verdict { done, again };
    class attempt;

    std::string text() const { return where_.to_string(); }
    lane& lane_at(const endpoint& node);
    /// Of the node that owns the slot (no slot: of any), waiting for the map; throws not_connected past the
    /// deadline.
    task<lane*> owner(std::optional<std::uint16_t> slot, clock::time_point deadline);
    void take_map(const std::vector<slot_range>& ranges);
    task<void> follow_map();
    task<void> retire_lanes();
    bool is_in_use(const lane& l) const noexcept;

    asio::any_io_executor executor_;
    address where_;
    client_options options_;
    struct known_lane {
        std::unique_ptr<lane> line;
        clock::time_point since;
    };
    std::map<std::string, known_lane> lanes_;
    std::vector<std::unique_ptr<lane>> retired_;
    std::vector<endpoint> known_;           ///< nodes of the last map, then those of the address
    std::array<lane*, slot_count> slots_{}; ///< null: unknown
    std::vector<lane*> owners_;             ///< distinct, of slots_
    std::string last_failure_;
    event stale_;              ///< the map should be read again
    event changed_;            ///< notified when it was
    std::size_t attempts_ = 0; ///< calls on their way, which refer to all this
    event no_attempt_;         ///< notified when the last of them has ended
    event stopping_;           ///< set by stop()
    bool is_started_ = false;
    bool is_stopped_ = false;
    task_group tasks_;
};

} // namespace tiktrend::redis
