#include "definitions.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/base/timeout.hpp>

namespace tiktrend::gateway {

definition_shelf::definition_shelf(asio::any_io_executor executor, sources::registry_ptr first,
                                   bool is_complete)
    : current_{std::move(first)}, complete_{std::move(executor)} {
    if (is_complete) complete_.set();
}

void definition_shelf::put(sources::registry_ptr newer) {
    current_ = std::move(newer);
    complete_.set();
}

definition_follower::definition_follower(std::vector<sources::source_file> files,
                                         sources::registry_options options, catalog::source_store store,
                                         logger log, std::function<void(sources::registry_ptr)> tell)
    : definitions_{std::move(files), std::move(options)}, store_{store}, log_{std::move(log)},
      tell_{std::move(tell)} {}

task<bool> definition_follower::look() {
    try {
        std::vector<sources::overlaid_text> texts;
        for (auto& d : co_await store_.enabled())
            texts.push_back({std::move(d.id), d.version, std::move(d.text)});
        const auto out = definitions_.take(std::move(texts));
        sources::log_outcome(out, log_);
        co_return out.changed;
    } catch (const system_error& e) {
        if (is_cancelled(e.code())) throw;
        if (e.code() != errc::stopped) log_.warn("definitions_not_read", {{"error", e.what()}});
        co_return false;
    }
}

task<void> definition_follower::follow(std::chrono::milliseconds every) {
    for (bool is_first = true;; is_first = false) {
        if (co_await look() || is_first) tell_(definitions_.current());
        co_await sleep_for(every);
    }
}

} // namespace tiktrend::gateway
