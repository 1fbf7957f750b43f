#pragma once
#include "stream.hpp"

#include <tiktrend/redis/reply.hpp>

#include <span>

namespace tiktrend::redis {

// Questions about where to connect, each on a connection of its own that is closed afterwards. A server that
// does not answer within half a second gives way to the next one. Throw system_error(errc::not_connected)
// with the causes if none answers.

/// The master's address as the first sentinel that knows it says. The sentinels are asked in turn from
/// `first` on, which afterwards is the one that answered, or the next one to ask: a call that is cancelled
/// before it got through goes on there.
task<endpoint> find_master(asio::any_io_executor executor, const address& where,
                           std::shared_ptr<asio::ssl::context> tls, std::size_t& first);

/// Slots first … last belong to `owner`.
struct slot_range {
    std::uint16_t first = 0, last = 0;
    endpoint owner;
};

/// Who owns which slots, as the first of `nodes` that answers says (CLUSTER SLOTS). Slots without an owner
/// are missing.
task<std::vector<slot_range>> read_slots(asio::any_io_executor executor, const address& where,
                                         std::shared_ptr<asio::ssl::context> tls,
                                         std::span<const endpoint> nodes);

} // namespace tiktrend::redis
