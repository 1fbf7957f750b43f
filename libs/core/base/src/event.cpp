#include <tiktrend/base/event.hpp>

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>

namespace tiktrend {

void event::set() noexcept {
    set_ = true;
    notify_all();
}

void event::notify_all() noexcept {
    for (auto* w : waiters_) {
        w->woken = true;
        w->timer.cancel();
    }
}

task<void> event::wait() {
    co_await wait_until(std::chrono::steady_clock::time_point::max());
}

task<bool> event::wait_for(std::chrono::steady_clock::duration limit) {
    return wait_until(std::chrono::steady_clock::now() + limit);
}

task<bool> event::wait_until(std::chrono::steady_clock::time_point deadline) {
    if (set_) co_return true;
    waiter self{asio::steady_timer{executor_, deadline}};
    struct registration {
        std::vector<waiter*>& list;
        waiter* w;
        ~registration() { std::erase(list, w); }
    };
    waiters_.push_back(&self);
    const registration entry{waiters_, &self};
    boost::system::error_code ec;
    co_await self.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    if (self.woken) co_return true;
    if (ec) throw boost::system::system_error(ec);
    co_return false;
}

} // namespace tiktrend
