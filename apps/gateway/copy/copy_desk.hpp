#pragma once
#include "copy/copy_endpoint.hpp"
#include "copy/copy_order.hpp"
#include "middleware/principal.hpp"
#include "quota_book.hpp"

#include <tiktrend/base/task_group.hpp>
#include <tiktrend/cache/response_cache.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>

namespace tiktrend::gateway {

/// A copy that is being written, as its reader sees it.
struct live_copy {
    explicit live_copy(asio::any_io_executor executor) : changed{std::move(executor)} {}
    std::string text; ///< so far; stays empty when somebody else has it written, or it was cached
    std::optional<cache::answer> whole;
    std::exception_ptr error;
    event changed; ///< set when any of them is

    bool is_over() const noexcept { return whole || error; }
};

/// Gives copies: from the cache, or written by the endpoint. Each is written once at a time over all requests
/// of a thread, and charged to the one who asked first. Owned by one executor; everything handed in must
/// outlive it.
class copy_desk {
public:
    copy_desk(asio::any_io_executor executor, const copy_settings& settings, cache::response_cache& answers,
              quota_book& quotas, observe::registry& metrics, logger log);
    ~copy_desk();

    bool is_open() const noexcept { return endpoint_ != nullptr; }

    /// The answer of POST /copy. Throws problems: 429 quota_exceeded, and as copy_endpoint::complete().
    task<cache::answer> get(copy_order order, principal who);
    /// As get(), told piece by piece. It is written to its end even if nobody looks any more.
    std::shared_ptr<live_copy> follow(copy_order order, principal who);

    /// Ends what is being written. Before the cache and the quotas stop.
    task<void> stop();

private:
    struct work;
    task<cache::answer> fetch(copy_order order, principal who, std::shared_ptr<live_copy> live);
    task<void> follow_to_end(copy_order order, principal who, std::shared_ptr<live_copy> live);
    static task<cache::loaded> write(std::shared_ptr<work> w);

    asio::any_io_executor executor_;
    const copy_settings& settings_;
    cache::response_cache& answers_;
    quota_book& quotas_;
    std::unique_ptr<copy_endpoint> endpoint_; ///< null: not configured
    task_group tasks_;
};

} // namespace tiktrend::gateway
