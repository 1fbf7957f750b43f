#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/catalog/source_store.hpp>
#include <tiktrend/sources/overlay.hpp>

#include <chrono>
#include <functional>

namespace tiktrend::gateway {

/// The source definitions that one thread serves by. Handlers ask for them anew at each request.
class definition_shelf {
public:
    /// `is_complete`: nothing is going to come from the database.
    definition_shelf(asio::any_io_executor executor, sources::registry_ptr first, bool is_complete);

    /// Never null. A request keeps what it has begun with by copying the pointer.
    const sources::registry_ptr& current() const noexcept { return current_; }

    void put(sources::registry_ptr newer);
    /// Until the database was asked once, with success or without: before, definitions that are only there
    /// look unknown.
    task<void> wait_complete() { return complete_.wait(); }

private:
    sources::registry_ptr current_;
    event complete_;
};

/// Asks the database for the definitions that operators enabled (`tiktrend source enable`), which lie over
/// the files of the program. One per gateway; it belongs to its store's executor.
class definition_follower {
public:
    /// `tell` gets the registry after the first look and whenever it has changed. Throws std::runtime_error
    /// if `files` make no registry.
    definition_follower(std::vector<sources::source_file> files, sources::registry_options options,
                        catalog::source_store store, logger log,
                        std::function<void(sources::registry_ptr)> tell);

    const sources::registry_ptr& current() const noexcept { return definitions_.current(); }

    /// Looks again and again until it is cancelled. A database that does not answer leaves all as it is.
    task<void> follow(std::chrono::milliseconds every);

private:
    task<bool> look();

    sources::overlay definitions_;
    catalog::source_store store_;
    logger log_;
    std::function<void(sources::registry_ptr)> tell_;
};

} // namespace tiktrend::gateway
