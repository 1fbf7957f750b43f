#pragma once
#include "body_decoder.hpp"
#include "curl_driver.hpp"
#include "header_block.hpp"

#include <tiktrend/base/event.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/fetch/client.hpp>

#include <memory>
#include <optional>
#include <string>

namespace tiktrend::fetch {

struct easy_deleter {
    void operator()(CURL* p) const noexcept { curl_easy_cleanup(p); }
};
using easy_handle = std::unique_ptr<CURL, easy_deleter>;

/// What one hop sends.
struct hop {
    const url& where;
    std::string method;
    const std::vector<header>& headers;
    bool send_secrets;
    std::string_view body;
    std::size_t max_body_bytes;
    bool cut_body;        ///< a longer body ends the transfer with a response instead of a failure
    steady_time deadline; ///< of all hops
    cookie_jar* cookies = nullptr;
    std::string_view proxy = {}; ///< empty: none
};

/// One request and its response on one easy handle, without redirects. Lives in the coroutine that waits for
/// it.
class transfer {
public:
    transfer(asio::any_io_executor executor, CURL* easy, const client_options& options, hop h);
    ~transfer();
    transfer(const transfer&) = delete;
    transfer& operator=(const transfer&) = delete;

    /// Runs to the end or to the first limit passed. Throws only when cancelled; the handle is off the driver
    /// in any case.
    task<void> run(curl_driver& driver);

    /// Called by the client when libcurl reports the end.
    void finished(CURLcode code);
    /// Ends it with that reason, e.g. on stop().
    void fail(failure_kind kind, std::string detail);

    static transfer* of(CURL* easy);

    /// The failure, or nothing when there is a response. After run().
    const std::optional<failure>& why() const noexcept { return failure_; }
    response take_response();
    std::uint64_t bytes_received() const noexcept { return decoder_ ? decoder_->received() : 0; }
    std::uint64_t bytes_decoded() const noexcept { return decoder_ ? decoder_->body().size() : 0; }
    int connections_opened() const noexcept { return connections_opened_; }
    bool has_suspicious_ratio() const noexcept { return suspicious_ratio_; }

private:
    static std::size_t on_body(char* data, std::size_t size, std::size_t n, void* self);
    static std::size_t on_header(char* data, std::size_t size, std::size_t n, void* self);
    static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
    static int on_before_request(void* self, char* peer_ip, char* own_ip, int peer_port, int own_port);

    void set_up();
    void set_up_proxy();
    void count_cookies();
    bool begin_body();
    bool body_arrived(std::string_view data);
    steady_time next_check() const noexcept;
    void check_limits(steady_time now);
    void classify(CURLcode code);
    std::uint64_t progress() const noexcept { return head_.bytes() + bytes_received(); }

    CURL* easy_;
    const client_options& options_;
    hop hop_;
    curl_slist* header_list_ = nullptr;
    curl_slist* resolve_list_ = nullptr;
    curl_slist* connect_list_ = nullptr;
    std::array<char, CURL_ERROR_SIZE> error_text_{};

    header_block head_;
    std::optional<body_decoder> decoder_;
    std::optional<failure> failure_;
    std::string refused_address_; ///< the first one that the guard refused
    std::optional<steady_time> sent_at_;
    steady_time window_start_{}; ///< of the low-speed window
    std::uint64_t window_bytes_ = 0;
    int connections_opened_ = 0;
    bool suspicious_ratio_ = false;
    bool is_cut_ = false;
    event done_;
};

} // namespace tiktrend::fetch
