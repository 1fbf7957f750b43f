#include "source_book.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/postgres/error.hpp>

#include <fmt/format.h>

#include <stdexcept>

namespace tiktrend::worker {
namespace {

sources::registry_ptr checked(sources::registry_result made) {
    if (made) return std::move(*made);
    std::string all;
    for (const auto& e : made.error())
        all += sources::to_string(e) + '\n';
    throw std::runtime_error(all);
}

} // namespace

source_book::source_book(std::vector<sources::source_file> files, sources::registry_options options,
                         catalog::source_store& stored, logger log)
    : files_{std::move(files)}, options_{std::move(options)}, stored_{stored}, log_{std::move(log)},
      current_{checked(sources::make_registry(files_, options_))} {
    for (const auto& d : current_->all())
        file_of_.emplace(d->id, d->file);
}

void source_book::take(const std::vector<catalog::stored_definition>& stored) {
    std::map<std::string, std::string, std::less<>> texts;
    for (const auto& d : stored)
        texts.emplace(d.id, d.text);
    if (texts == in_use_) return;
    in_use_ = std::move(texts);

    auto files = files_;
    for (const auto& d : stored) {
        const auto name = fmt::format("database:{}@{}", d.id, d.version);
        const auto parsed = sources::parse_definition(name, d.text);
        if (!parsed || (*parsed)->id != d.id) {
            const auto why =
                parsed ? "its id is " + (*parsed)->id : sources::to_string(parsed.error().front());
            log_.error("definition_refused", {{"source", d.id}, {"version", d.version}, {"error", why}});
            continue;
        }
        auto candidate = files;
        if (const auto file = file_of_.find(d.id); file != file_of_.end())
            std::erase_if(candidate, [&](const auto& f) { return f.name == file->second; });
        candidate.push_back({name, d.text});
        const auto made = sources::make_registry(candidate, options_);
        if (!made) {
            log_.error("definition_refused", {{"source", d.id},
                                              {"version", d.version},
                                              {"error", sources::to_string(made.error().front())}});
            continue;
        }
        files = std::move(candidate);
        log_.info("definition_from_database", {{"source", d.id}, {"version", d.version}});
    }
    current_ = checked(sources::make_registry(files, options_));
}

task<void> source_book::refresh() {
    take(co_await stored_.enabled());
}

task<void> source_book::follow(std::chrono::milliseconds every) {
    for (;;) {
        try {
            co_await refresh();
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            log_.warn("definitions_not_read", {{"error", e.what()}});
        }
        co_await sleep_for(every);
    }
}

} // namespace tiktrend::worker
