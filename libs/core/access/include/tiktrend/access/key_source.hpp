#pragma once
#include <tiktrend/access/key_set.hpp>
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/base/single_flight.hpp>
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/fetch/client.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace tiktrend::access {

struct key_source_options {
    std::string location;                       ///< path of a file, or an http or https URL, of a JWK set
    std::chrono::milliseconds refresh{300'000}; ///< how old keys may get
    std::chrono::milliseconds between_misses{30'000}; ///< unknown key ids ask at most this often
    std::chrono::milliseconds timeout{5000};          ///< of one fetch
    std::string ca_file;                              ///< PEM; empty: the system's
    logger log;
};

/// Keeps the keys of an issuer current: read at start(), then every `refresh`, and when a token names a key
/// that is not there. Keys that were read once stay while the source fails. Owned by one executor.
///
/// Life: construct, start(), use, co_await stop().
class key_source {
public:
    key_source(asio::any_io_executor executor, key_source_options options);
    key_source(const key_source&) = delete;
    key_source& operator=(const key_source&) = delete;

    void start();
    task<void> stop();

    /// The newest keys that were read; null before the first success.
    std::shared_ptr<const key_set> keys() const noexcept { return keys_; }

    /// Reads again, unless that was tried within `between_misses` (before the first success: within a
    /// second). Callers that come meanwhile share one read. Never throws but for cancellation.
    task<void> refresh_for_miss();

private:
    task<void> refresh_for_ever();
    task<void> read();
    task<std::string> text();

    key_source_options options_;
    bool is_url_;
    fetch::client client_;
    std::shared_ptr<const key_set> keys_;
    std::optional<std::chrono::steady_clock::time_point> tried_at_;
    single_flight read_;
    task_group tasks_;
};

} // namespace tiktrend::access
