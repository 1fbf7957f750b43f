#include "output_queue.hpp"

#include <algorithm>

namespace tiktrend::http {
namespace {

constexpr std::size_t copied_body =
    2048; ///< copying this much costs less than one more element of the gather list
constexpr std::size_t kept_text = 8192; ///< capacity that an idle connection may keep
constexpr std::size_t gathered = 64;    ///< Asio passes at most this many elements to the kernel

} // namespace

void output_queue::note_text() {
    const auto added = text_.size() - noted_;
    if (added == 0) return;
    if (!segments_.empty() && !segments_.back().shared && segments_.back().own.empty() &&
        segments_.back().text_end == noted_) {
        segments_.back().text_end = text_.size();
    } else {
        segment s;
        s.text_begin = noted_;
        s.text_end = text_.size();
        segments_.push_back(std::move(s));
    }
    noted_ = text_.size();
    pending_ += added;
}

void output_queue::take(std::string&& bytes) {
    if (bytes.empty()) return;
    if (bytes.size() <= copied_body) return copy(bytes);
    pending_ += bytes.size();
    segment s;
    s.own = std::move(bytes);
    segments_.push_back(std::move(s));
}

void output_queue::share(std::shared_ptr<const std::string> bytes) {
    if (bytes->empty()) return;
    if (bytes->size() <= copied_body) return copy(*bytes);
    pending_ += bytes->size();
    segment s;
    s.shared = std::move(bytes);
    segments_.push_back(std::move(s));
}

void output_queue::gather() {
    buffers_.clear();
    const auto end = std::min(segments_.size(), first_ + gathered);
    for (auto i = first_; i < end; ++i) {
        const auto bytes = segments_[i].bytes(text_).substr(i == first_ ? first_sent_ : 0);
        buffers_.emplace_back(bytes.data(), bytes.size());
    }
}

void output_queue::consume(std::size_t n) noexcept {
    pending_ -= n;
    if (pending_ == 0) return clear();
    n += first_sent_;
    while (n > 0) {
        const auto size = segments_[first_].bytes(text_).size();
        if (n < size) break;
        n -= size;
        segments_[first_].shared.reset();
        std::string{}.swap(segments_[first_].own);
        segments_[first_].text_begin = segments_[first_].text_end = 0;
        ++first_;
    }
    first_sent_ = n;
}

void output_queue::clear() noexcept {
    segments_.clear();
    if (text_.capacity() > kept_text)
        std::string{}.swap(text_);
    else
        text_.clear();
    first_ = first_sent_ = noted_ = pending_ = 0;
}

} // namespace tiktrend::http
