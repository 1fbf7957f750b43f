#include "source_book.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/postgres/error.hpp>

namespace tiktrend::worker {

source_book::source_book(std::vector<sources::source_file> files, sources::registry_options options,
                         catalog::source_store& stored, logger log)
    : definitions_{std::move(files), std::move(options)}, stored_{stored}, log_{std::move(log)} {}

task<void> source_book::refresh() {
    std::vector<sources::overlaid_text> texts;
    for (auto& d : co_await stored_.enabled())
        texts.push_back({std::move(d.id), d.version, std::move(d.text)});
    const auto out = definitions_.take(std::move(texts));
    sources::log_outcome(out, log_);
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
