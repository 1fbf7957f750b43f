#pragma once
#include <tiktrend/base/event.hpp>

#include <cstddef>
#include <deque>
#include <utility>

namespace tiktrend::worker {

/// Room for pages that have been read and are not stored yet, for all jobs of a process: a page takes several
/// times its bytes once it is records and products, and when the database is what everybody waits for, more
/// of them would only use memory. A job that waits holds the page's body alone. One executor; must outlive
/// its places.
class page_room {
public:
    page_room(asio::any_io_executor executor, std::size_t places)
        : executor_{std::move(executor)}, free_{places} {}

    /// Given back when it goes.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept : room_{std::exchange(other.room_, nullptr)} {}
        place& operator=(place&& other) noexcept {
            std::swap(room_, other.room_);
            return *this;
        }
        ~place() {
            if (room_ != nullptr) room_->leave();
        }

    private:
        friend class page_room;
        explicit place(page_room* room) : room_{room} {}
        page_room* room_ = nullptr;
    };

    /// In the order of the calls. The wait ends with the storing of other pages, which has limits of its own
    /// (pager). Throws when it is cancelled.
    task<place> enter();

private:
    struct waiter {
        explicit waiter(const asio::any_io_executor& e) : woken{e} {}
        event woken;
        bool is_given = false;
    };
    void leave() noexcept;

    asio::any_io_executor executor_;
    std::size_t free_;
    std::deque<waiter*> waiters_;
};

} // namespace tiktrend::worker
