#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/catalog/source_store.hpp>
#include <tiktrend/sources/overlay.hpp>

#include <chrono>
#include <vector>

namespace tiktrend::worker {

/// The definitions that jobs run by: the files of the program, and over them what operators enabled in the
/// database (`tiktrend source enable`). A job keeps the definition that it began with. Belongs to one
/// executor.
class source_book {
public:
    /// `files` have been checked; throws std::runtime_error when they do not make a registry after all.
    source_book(std::vector<sources::source_file> files, sources::registry_options options,
                catalog::source_store& stored, logger log);

    /// Never null.
    const sources::registry_ptr& current() const noexcept { return definitions_.current(); }

    /// Takes over what the database has now. A stored definition that is broken, or that does not fit the
    /// others, is logged and left out: a scrape never stops because of somebody else's file. Throws
    /// postgres::errc when the database does not answer; then all stays as it is.
    task<void> refresh();

    /// refresh() again and again until it is cancelled.
    task<void> follow(std::chrono::milliseconds every);

private:
    sources::overlay definitions_;
    catalog::source_store& stored_;
    logger log_;
};

} // namespace tiktrend::worker
