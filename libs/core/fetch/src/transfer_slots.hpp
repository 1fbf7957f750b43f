#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>

#include <list>
#include <string>
#include <unordered_map>

namespace tiktrend::fetch {

/// Bounds the transfers at once, in all and per origin. Transfers queue here and not in libcurl, whose
/// timeouts would count the waiting. First come, first served among those whose origin has room.
class transfer_slots {
public:
    transfer_slots(asio::any_io_executor executor, std::size_t per_host, std::size_t total,
                   std::size_t max_waiting)
        : executor_{std::move(executor)}, per_host_{per_host}, total_{total}, max_waiting_{max_waiting} {}

    /// Gives the slot back when it goes.
    class slot {
    public:
        slot() = default;
        slot(transfer_slots* owner, std::string origin) : owner_{owner}, origin_{std::move(origin)} {}
        slot(slot&& other) noexcept
            : owner_{std::exchange(other.owner_, nullptr)}, origin_{std::move(other.origin_)} {}
        slot& operator=(slot&&) = delete;
        ~slot() {
            if (owner_) owner_->release(origin_);
        }
        explicit operator bool() const noexcept { return owner_ != nullptr; }

    private:
        transfer_slots* owner_ = nullptr;
        std::string origin_;
    };

    /// An empty slot if too many wait already, the deadline passed or close() was called.
    task<slot> acquire(std::string origin, steady_time deadline);
    /// Wakes every waiter with an empty slot; so do later calls of acquire().
    void close();

    std::size_t in_use() const noexcept { return in_use_; }
    std::size_t waiting() const noexcept { return waiters_.size(); }

private:
    struct waiter {
        waiter(const std::string& o, const asio::any_io_executor& ex) : origin{o}, woken{ex} {}
        const std::string& origin;
        event woken;
        bool granted = false;
    };
    bool has_room(const std::string& origin) const;
    void take(const std::string& origin);
    void release(const std::string& origin);

    asio::any_io_executor executor_;
    std::size_t per_host_;
    std::size_t total_;
    std::size_t max_waiting_;
    std::size_t in_use_ = 0;
    bool is_closed_ = false;
    std::unordered_map<std::string, std::size_t> used_by_;
    std::list<waiter> waiters_;
};

} // namespace tiktrend::fetch
