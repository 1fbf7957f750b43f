#pragma once
#include <tiktrend/base/error.hpp>
#include <tiktrend/redis/reply.hpp>

#include <memory>
#include <string>
#include <string_view>

struct redisReader;

namespace tiktrend::redis {

/// Bytes in, replies out: hiredis's reader with reply trees of our own. No I/O. After an error nothing more
/// comes out.
class reply_reader {
public:
    /// `max_reply_bytes` bounds the memory of one reply, also of one that is only announced.
    explicit reply_reader(std::size_t max_reply_bytes);
    ~reply_reader();
    reply_reader(const reply_reader&) = delete;
    reply_reader& operator=(const reply_reader&) = delete;

    void feed(std::string_view bytes);
    /// True and a whole reply in `out`; false if more bytes are needed or, with `ec` set
    /// (errc::protocol_error), if the stream is broken.
    bool next(reply& out, error_code& ec);
    /// A part of the next reply is here.
    bool has_part() const noexcept { return unfinished_ > 0; }
    /// What was wrong with the stream.
    const std::string& message() const noexcept { return message_; }

private:
    struct builder;
    void fail(std::string message);

    std::unique_ptr<builder> builder_;
    redisReader* reader_;
    std::size_t max_reply_bytes_;
    std::size_t unfinished_ = 0; ///< bytes fed that belong to no finished reply
    std::string message_;
};

} // namespace tiktrend::redis
