#pragma once
#include "spot_notice.hpp"

#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/fetch/client.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace tiktrend::worker {

struct spot_options {
    spot_options() {}
    cloud where = cloud::none;
    std::string url;                       ///< of the metadata server; empty: the cloud's own address
    std::chrono::milliseconds every{5000}; ///< AWS: "every 5 seconds"
    std::string resource; ///< Azure: this machine's name in its events; empty: the metadata server is asked
};

/// Asks the cloud's metadata server again and again whether this machine is about to be taken away. Answers
/// that fail are asked for again next time and logged once; the worker works on without them.
class spot_watcher {
public:
    spot_watcher(asio::any_io_executor executor, spot_options options, logger log);

    /// Runs until a notice comes, which it returns, or until it is cancelled. `on_hint` is called, once, when
    /// AWS recommends a rebalance, which is no notice yet.
    task<spot_notice> wait(std::function<void()> on_hint);
    /// Ends the transfers; after wait() has ended or been cancelled.
    task<void> stop();

private:
    task<std::optional<std::string>> get(std::string path, fetch::header with);
    task<std::optional<spot_notice>> ask_aws();
    task<std::optional<spot_notice>> ask_azure();
    task<std::optional<spot_notice>> ask_once();
    task<void> renew_aws_token();
    void unreachable(std::string_view why);

    spot_options options_;
    logger log_;
    fetch::client client_;
    std::string aws_token_;
    std::chrono::steady_clock::time_point aws_token_until_{};
    bool has_hint_ = false;
    bool is_unreachable_ = false;
};

} // namespace tiktrend::worker
