#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace tiktrend::testing {

struct raw_response {
    int status = 0;
    std::string head;                           ///< as it came, with the empty line
    std::map<std::string, std::string> headers; ///< names in lower case
    std::string body;                           ///< decoded when chunked
};

/// A client that sends what it is told and reads answers strictly: a malformed one fails the test. Every read
/// is bounded by `patience`.
class raw_client {
public:
    explicit raw_client(std::uint16_t port, int receive_buffer = 0);
    ~raw_client();
    raw_client(raw_client&& other) noexcept;
    raw_client(const raw_client&) = delete;
    raw_client& operator=(const raw_client&) = delete;

    void send(std::string_view bytes);
    /// As send(), but an error (the server closed) is an answer: false.
    bool try_send(std::string_view bytes);
    /// One response. `head_only` for answers to HEAD. Throws on end of input.
    raw_response read(bool head_only = false);
    /// Reads until `text` was seen; returns everything up to and including it.
    std::string read_until(std::string_view text);
    /// Reads to the end of the connection.
    std::string read_all();
    enum class ending { orderly, reset, still_open };
    /// How the connection ends within `limit`; what is read meanwhile is dropped.
    ending wait_end(std::chrono::milliseconds limit);
    void shutdown_send();
    void close(bool with_reset = false);
    int fd() const noexcept { return fd_; }

    std::chrono::milliseconds patience{10'000};

private:
    bool fill(); ///< false at the end of input

    int fd_ = -1;
    std::string buffer_;
};

/// One request on a connection of its own.
raw_response fetch(std::uint16_t port, std::string_view request);
/// "GET path HTTP/1.1" with Host.
std::string get(std::string_view path, std::string_view more_headers = {});

} // namespace tiktrend::testing
