#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/catalog/source_store.hpp>
#include <tiktrend/sources/registry.hpp>

#include <chrono>
#include <map>
#include <string>
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
    const sources::registry_ptr& current() const noexcept { return current_; }

    /// Takes over what the database has now. A stored definition that is broken, or that does not fit the
    /// others, is logged and left out: a scrape never stops because of somebody else's file. Throws
    /// postgres::errc when the database does not answer; then all stays as it is.
    task<void> refresh();

    /// refresh() again and again until it is cancelled.
    task<void> follow(std::chrono::milliseconds every);

private:
    void take(const std::vector<catalog::stored_definition>& stored);

    std::vector<sources::source_file> files_;
    std::map<std::string, std::string, std::less<>> file_of_; ///< definition id → name of its file
    sources::registry_options options_;
    catalog::source_store& stored_;
    logger log_;
    sources::registry_ptr current_;
    std::map<std::string, std::string, std::less<>> in_use_; ///< stored texts by id, as last taken
};

} // namespace tiktrend::worker
