#include "pipeline.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

namespace tiktrend::redis {

void pipeline::submit(completion done) {
    if (waiting_.empty()) last_progress_ = std::chrono::steady_clock::now();
    waiting_.push_back(std::move(done));
    ++unsent_;
    schedule_flush();
}

void pipeline::abandon(std::uint64_t ticket) {
    if (ticket < first_ticket_ || ticket - first_ticket_ >= waiting_.size()) return;
    auto done = std::exchange(waiting_[ticket - first_ticket_], nullptr);
    if (!done) return;
    // Not from here: the caller is inside the cancellation signal that the completion will disconnect.
    asio::post(connection_->transport().get_executor(), [done = std::move(done)]() mutable {
        done(std::make_exception_ptr(system_error{asio::error::operation_aborted}), reply{});
    });
}

void pipeline::schedule_flush() {
    if (writing_) return;
    if (out_.size() >= worth_a_write) return flush();
    if (flush_scheduled_) return;
    flush_scheduled_ = true;
    // Runs after what is ready now, so that its commands join the write.
    asio::post(connection_->transport().get_executor(), [self = shared_from_this()] {
        self->flush_scheduled_ = false;
        self->flush();
    });
}

void pipeline::flush() {
    if (closed_ || writing_ || out_.empty()) return;
    constexpr std::size_t keep = 1U << 20;
    if (sending_.capacity() > keep) sending_ = {};
    sending_.clear();
    std::swap(out_, sending_);
    unsent_ = 0;
    writing_ = true;
    connection_->transport().write(asio::buffer(sending_),
                                   [self = shared_from_this()](error_code e, std::size_t) {
                                       self->writing_ = false;
                                       if (e)
                                           self->close(errc::connection_lost);
                                       else
                                           self->flush();
                                   });
}

task<error_code> pipeline::run() {
    try {
        while (!closed_) {
            co_await connection_->receive();
            last_progress_ = std::chrono::steady_clock::now();
            take_replies();
        }
    } catch (const system_error& e) {
        close(e.code() == errc::protocol_error ? e.code() : make_error_code(errc::connection_lost));
    }
    co_return why_;
}

void pipeline::take_replies() {
    reply r;
    while (!closed_ && connection_->next(r)) {
        if (waiting_.empty()) return close(errc::protocol_error); // a reply that nobody asked for
        auto done = std::move(waiting_.front());
        waiting_.pop_front();
        ++first_ticket_;
        std::exception_ptr error;
        if (r.is_error()) {
            if (const auto code = classify(r.text())) {
                error =
                    std::make_exception_ptr(server_error{code, connection_->where(), std::string{r.text()}});
                if (code == errc::not_ready) {
                    condemned_ = true;
                    why_ = code;
                }
            }
        }
        if (error) r = {};
        if (done) done(std::move(error), std::move(r));
    }
    // Commands sent before the server said so still get their own replies.
    if (condemned_ && waiting_.empty()) close(why_);
}

void pipeline::close(error_code why) noexcept {
    if (std::exchange(closed_, true)) return;
    if (!why_) why_ = why;
    connection_->close();
}

void pipeline::complete_all() {
    auto left = std::exchange(waiting_, {});
    first_ticket_ += left.size();
    const auto sent = left.size() - std::min(unsent_, left.size());
    const auto lost_code = why_ == errc::not_ready ? make_error_code(errc::connection_lost) : why_;
    const auto lost = std::make_exception_ptr(system_error{lost_code, connection_->where()});
    const auto unsent = std::make_exception_ptr(system_error{errc::not_connected, connection_->where()});
    for (std::size_t i = 0; i < left.size(); ++i)
        if (left[i]) left[i](i < sent ? lost : unsent, reply{});
}

} // namespace tiktrend::redis
