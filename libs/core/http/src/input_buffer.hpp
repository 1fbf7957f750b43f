#pragma once
#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace tiktrend::http {

/// Bytes read from one client and not used yet. Small requests never leave the built-in room, so an idle
/// connection costs no more than that; larger ones take memory of their own until the buffer is empty again.
/// Views end with the next prepare().
class input_buffer {
public:
    explicit input_buffer(std::size_t max_size) noexcept : max_size_{std::max(max_size, built_in_size)} {}

    std::string_view bytes() const noexcept { return {data() + begin_, end_ - begin_}; }
    bool empty() const noexcept { return begin_ == end_; }
    /// True if prepare() can give no more room.
    bool full() const noexcept { return end_ - begin_ >= max_size_; }

    /// Room for the next read; never empty unless full().
    boost::asio::mutable_buffer prepare() {
        if (begin_ == end_) {
            begin_ = end_ = 0;
        } else if (capacity_ - end_ < capacity_ / 4) {
            if (begin_ > 0) {
                std::memmove(data(), data() + begin_, end_ - begin_);
                end_ -= begin_;
                begin_ = 0;
            }
            if (capacity_ - end_ < capacity_ / 4 && capacity_ < max_size_) grow();
        }
        return {data() + end_, capacity_ - end_};
    }
    void commit(std::size_t n) noexcept { end_ += n; }
    void consume(std::size_t n) noexcept { begin_ += n; }

    /// Gives memory back while nothing is buffered.
    void shrink_if_empty() noexcept {
        if (!empty() || !own_) return;
        own_.reset();
        capacity_ = built_in_size;
        begin_ = end_ = 0;
    }

private:
    static constexpr std::size_t built_in_size = 2048;

    char* data() noexcept { return own_ ? own_.get() : built_in_; }
    const char* data() const noexcept { return own_ ? own_.get() : built_in_; }
    void grow() {
        const auto size = std::min(capacity_ * 4, max_size_);
        auto larger = std::make_unique_for_overwrite<char[]>(size);
        std::memcpy(larger.get(), data(), end_);
        own_ = std::move(larger);
        capacity_ = size;
    }

    std::size_t max_size_;
    std::size_t capacity_ = built_in_size;
    std::size_t begin_ = 0, end_ = 0;
    std::unique_ptr<char[]> own_;
    char built_in_[built_in_size];
};

} // namespace tiktrend::http
