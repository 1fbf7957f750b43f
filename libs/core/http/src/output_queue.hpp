#pragma once
#include <tiktrend/base/error.hpp>

#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::http {

/// Bytes on their way to one client: heads and small bodies are copied into one string, larger bodies are
/// referred to, and everything goes out in one gathered write.
class output_queue {
public:
    /// Where to append the next head. Call note_text() afterwards.
    std::string& text() noexcept { return text_; }
    void note_text();
    void copy(std::string_view bytes) {
        text_.append(bytes);
        note_text();
    }
    /// A body; small ones are copied.
    void take(std::string&& bytes);
    void share(std::shared_ptr<const std::string> bytes);

    bool empty() const noexcept { return pending_ == 0; }
    std::size_t pending() const noexcept { return pending_; }

    /// Writes what the kernel takes now. True when all is gone; false with a clear `ec` when the kernel is
    /// full. The socket must be non-blocking.
    template <class Socket>
    bool write_some(Socket& socket, error_code& ec) {
        while (!empty()) {
            gather();
            const auto n = socket.write_some(buffers_, ec);
            consume(n);
            if (ec == boost::asio::error::would_block || ec == boost::asio::error::try_again) {
                ec = {};
                return false;
            }
            if (ec) return false;
        }
        return true;
    }

    void clear() noexcept;

private:
    struct segment {
        std::size_t text_begin = 0, text_end = 0; ///< used when neither body is set
        std::shared_ptr<const std::string> shared;
        std::string own;
        std::string_view bytes(const std::string& text) const noexcept {
            if (shared) return *shared;
            if (!own.empty()) return own;
            return std::string_view{text}.substr(text_begin, text_end - text_begin);
        }
    };
    void gather();
    void consume(std::size_t n) noexcept;

    std::string text_;
    std::vector<segment> segments_;
    std::vector<boost::asio::const_buffer> buffers_;
    std::size_t first_ = 0;      ///< segment that is sent next
    std::size_t first_sent_ = 0; ///< bytes of it that went already
    std::size_t noted_ = 0;      ///< bytes of text_ that are in segments
    std::size_t pending_ = 0;
};

} // namespace tiktrend::http
