#include "transfer.hpp"

#include "cookie_jar_impl.hpp"
#include "socket_address.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstring>

namespace tiktrend::fetch {
namespace ip = boost::asio::ip;
namespace {

constexpr std::uint64_t ratio_floor_bytes = 1U << 20; ///< small bodies compress as they like
constexpr std::uint64_t ratio_limit = 200;

bool is_secret(const header& h) {
    if (h.is_secret) return true;
    std::string name = h.name;
    for (auto& c : name)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return name == "authorization" || name == "cookie" || name == "proxy-authorization";
}

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string seconds(std::chrono::milliseconds t) {
    return fmt::format("{:g}s", static_cast<double>(t.count()) / 1000);
}

} // namespace

transfer::transfer(asio::any_io_executor executor, CURL* easy, const client_options& options, hop h)
    : easy_{easy}, options_{options}, hop_{std::move(h)}, head_{options.max_header_bytes},
      done_{std::move(executor)} {
    set_up();
}

transfer::~transfer() {
    if (hop_.cookies) curl_easy_setopt(easy_, CURLOPT_SHARE, nullptr); // which a reset would keep
    curl_easy_reset(easy_); // before the lists and this object go; keeps the connection
    curl_slist_free_all(header_list_);
    curl_slist_free_all(resolve_list_);
    curl_slist_free_all(connect_list_);
}

transfer* transfer::of(CURL* easy) {
    char* self = nullptr;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &self);
    return reinterpret_cast<transfer*>(self);
}

void transfer::set_up() {
    const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
    set(CURLOPT_PRIVATE, this);
    set(CURLOPT_URL, hop_.where.text.c_str());
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_QUICK_EXIT, 1L); // else a look-up that hangs is joined here, and the loop hangs with it

    // Schemes and redirects: scraping rules.
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set_up_proxy();
    if (hop_.cookies) {
        set(CURLOPT_SHARE, hop_.cookies->impl_->share);
        set(CURLOPT_COOKIEFILE, ""); // switches the engine on, reads no file
    }
    set(CURLOPT_HTTP09_ALLOWED, 0L);
    set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_2TLS});
    set(CURLOPT_PIPEWAIT, 1L);
    set(CURLOPT_HTTP_CONTENT_DECODING, 0L); // body_decoder does it
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
    if (!options_.ca_file.empty()) set(CURLOPT_CAINFO, options_.ca_file.c_str());
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    set(CURLOPT_DNS_CACHE_TIMEOUT, static_cast<long>(options_.dns_cache.count()));
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
    set(CURLOPT_BUFFERSIZE, 16L << 10); // each transfer under way has one

    // A pooled connection is not opened again, so the guard is asked before each request too.
    set(CURLOPT_OPENSOCKETFUNCTION, &transfer::on_open_socket);
    set(CURLOPT_OPENSOCKETDATA, this);
    set(CURLOPT_PREREQFUNCTION, &transfer::on_before_request);
    set(CURLOPT_PREREQDATA, this);
    set(CURLOPT_HEADERFUNCTION, &transfer::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &transfer::on_body);
    set(CURLOPT_WRITEDATA, this);

    for (const auto& line : options_.resolve)
        resolve_list_ = curl_slist_append(resolve_list_, line.c_str());
    if (resolve_list_) set(CURLOPT_RESOLVE, resolve_list_);
    for (const auto& line : options_.connect_to)
        connect_list_ = curl_slist_append(connect_list_, line.c_str());
    if (connect_list_) set(CURLOPT_CONNECT_TO, connect_list_);

    bool has_user_agent = false;
    bool has_accept = false;
    const auto add = [this](const std::string& line) {
        header_list_ = curl_slist_append(header_list_, line.c_str());
    };
    for (const auto& h : hop_.headers) {
        if (is_secret(h) && !hop_.send_secrets) continue;
        has_user_agent = has_user_agent || same_name(h.name, "user-agent");
        has_accept = has_accept || same_name(h.name, "accept");
        add(h.value.empty() ? h.name + ";"
                            : h.name + ": " + h.value); // "Name;" is libcurl's way to an empty value
    }
    if (!has_user_agent) add("User-Agent: " + options_.user_agent);
    if (!has_accept) add("Accept: */*");
    add("Accept-Encoding: gzip, deflate, br, zstd");
    add("Expect:"); // no pause before a body

    if (hop_.method == "GET") {
        set(CURLOPT_HTTPGET, 1L);
    } else if (hop_.method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
    } else {
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(hop_.body.size()));
        set(CURLOPT_POSTFIELDS, hop_.body.data()); // lives as long as the request
        set(CURLOPT_CUSTOMREQUEST, hop_.method.c_str());
    }
    set(CURLOPT_HTTPHEADER, header_list_);
}

/// The environment has no say. With a proxy of the operator's the socket leads to the proxy, which the guard
/// knows nothing about; it has checked the URL.
void transfer::set_up_proxy() {
    if (hop_.proxy.empty()) {
        curl_easy_setopt(easy_, CURLOPT_PROXY, "");
        curl_easy_setopt(easy_, CURLOPT_NOPROXY, "*");
        return;
    }
    curl_easy_setopt(easy_, CURLOPT_PROXY, std::string{hop_.proxy}.c_str()); // libcurl copies it
    curl_easy_setopt(easy_, CURLOPT_NOPROXY, "");
    curl_easy_setopt(easy_, CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE}); // ours are for the site alone
    curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
}

void transfer::count_cookies() {
    if (!hop_.cookies) return;
    curl_slist* list = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_COOKIELIST, &list);
    std::size_t n = 0;
    for (const auto* at = list; at != nullptr; at = at->next)
        ++n;
    curl_slist_free_all(list);
    if (n > cookie_jar::max_cookies) {
        curl_easy_setopt(easy_, CURLOPT_COOKIELIST, "ALL");
        n = 0;
    }
    hop_.cookies->impl_->count = n;
}

curl_socket_t transfer::on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
    auto& t = *static_cast<transfer*>(self);
    const auto a = address_of(*address);
    const auto port = port_of(*address);
    const bool is_permitted =
        !t.hop_.proxy.empty() || (a && t.options_.guard.permits(*a, port, t.hop_.where.host));
    if (purpose != CURLSOCKTYPE_IPCXN || !is_permitted) {
        // libcurl now tries the name's next address; on_before_request() ends the transfer if that one
        // connects.
        if (t.refused_address_.empty()) t.refused_address_ = a ? a->to_string() : "not an Internet address";
        return CURL_SOCKET_BAD;
    }
    ++t.connections_opened_;
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int transfer::on_before_request(void* self, char* peer_ip, char*, int peer_port, int) {
    auto& t = *static_cast<transfer*>(self);
    boost::system::error_code bad;
    const auto peer = ip::make_address(peer_ip ? peer_ip : "", bad);
    const bool is_permitted =
        !t.hop_.proxy.empty() ||
        (!bad && t.options_.guard.permits(peer, static_cast<std::uint16_t>(peer_port), t.hop_.where.host));
    if (!is_permitted && t.refused_address_.empty()) t.refused_address_ = peer_ip ? peer_ip : "unknown";
    if (!t.refused_address_.empty()) return CURL_PREREQFUNC_ABORT;
    t.sent_at_ = std::chrono::steady_clock::now();
    return CURL_PREREQFUNC_OK;
}

std::size_t transfer::on_header(char* data, std::size_t size, std::size_t n, void* self) {
    auto& t = *static_cast<transfer*>(self);
    if (t.failure_) return 0;
    const bool is_first = !t.head_.has_begun();
    if (!t.head_.add_line({data, size * n})) {
        t.fail(failure_kind::bad_response,
               fmt::format("response header over {} bytes", t.options_.max_header_bytes));
        return 0;
    }
    if (is_first) {
        t.window_start_ = std::chrono::steady_clock::now();
        t.window_bytes_ = t.progress();
    }
    return size * n;
}

bool transfer::begin_body() {
    auto made = body_decoder::make(head_.joined("content-encoding"), hop_.max_body_bytes);
    if (!made) {
        fail(failure_kind::bad_encoding, made.error());
        return false;
    }
    decoder_.emplace(std::move(*made));
    curl_off_t announced = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    const bool may_come = hop_.method != "HEAD"; // which announces what a GET would get
    if (may_come && announced > static_cast<curl_off_t>(hop_.max_body_bytes) && !hop_.cut_body) {
        fail(failure_kind::body_too_large,
             fmt::format("{} bytes announced, {} allowed", announced, hop_.max_body_bytes));
        return false;
    }
    if (may_come && announced > 0 && !decoder_->has_layers())
        decoder_->reserve(std::min(static_cast<std::size_t>(announced), hop_.max_body_bytes));
    return true;
}

bool transfer::body_arrived(std::string_view data) {
    if (failure_ || is_cut_ || (!decoder_ && !begin_body())) return false;
    const auto status = decoder_->write(data);
    if (!suspicious_ratio_ && bytes_decoded() > ratio_floor_bytes &&
        bytes_decoded() > ratio_limit * bytes_received())
        suspicious_ratio_ = true;
    switch (status) {
    case decode_status::ok:
        return true;
    case decode_status::too_large:
        if (hop_.cut_body) {
            is_cut_ = true;
            done_.set();
            return false;
        }
        fail(failure_kind::body_too_large, fmt::format("over {} decoded bytes from {} received",
                                                       hop_.max_body_bytes, decoder_->received()));
        return false;
    case decode_status::damaged:
        fail(failure_kind::truncated_body, "the compressed data is damaged");
        return false;
    case decode_status::foreign:
        fail(failure_kind::bad_encoding, "the body is not " + head_.joined("content-encoding"));
        return false;
    }
    return false;
}

std::size_t transfer::on_body(char* data, std::size_t size, std::size_t n, void* self) {
    auto& t = *static_cast<transfer*>(self);
    return t.body_arrived({data, size * n}) ? size * n : 0;
}

void transfer::fail(failure_kind kind, std::string detail) {
    if (failure_) return;
    failure f;
    f.kind = kind;
    f.cls = class_of(kind);
    f.detail = std::move(detail);
    failure_ = std::move(f);
    done_.set();
}

void transfer::finished(CURLcode code) {
    if (!failure_ && !is_cut_) classify(code);
    done_.set();
}

steady_time transfer::next_check() const noexcept {
    steady_time next = hop_.deadline;
    if (head_.has_begun())
        next = std::min(next, window_start_ + options_.low_speed_time);
    else if (sent_at_)
        next = std::min(next, *sent_at_ + options_.first_byte_timeout);
    else // connecting, which libcurl limits; look again when a first byte could be late
        next = std::min(next, std::chrono::steady_clock::now() + options_.first_byte_timeout);
    return next;
}

void transfer::check_limits(steady_time now) {
    if (now >= hop_.deadline) {
        fail(failure_kind::timeout, "total time over");
    } else if (head_.has_begun()) {
        if (now < window_start_ + options_.low_speed_time) return;
        const auto needed = static_cast<std::uint64_t>(options_.low_speed_bytes) *
                            static_cast<std::uint64_t>(options_.low_speed_time.count()) / 1000;
        if (progress() - window_bytes_ < needed)
            fail(failure_kind::timeout, fmt::format("under {} bytes/s for {}", options_.low_speed_bytes,
                                                    seconds(options_.low_speed_time)));
        window_start_ = now;
        window_bytes_ = progress();
    } else if (sent_at_ && now >= *sent_at_ + options_.first_byte_timeout) {
        fail(failure_kind::timeout, "no response within " + seconds(options_.first_byte_timeout));
    }
}

task<void> transfer::run(curl_driver& driver) {
    struct attachment {
        curl_driver& driver;
        CURL* easy;
        ~attachment() { driver.remove(easy); } // no effect on a handle that ended by itself
    };
    driver.add(easy_);
    const attachment attached{driver, easy_};
    while (!co_await done_.wait_until(next_check()))
        check_limits(std::chrono::steady_clock::now());
}

void transfer::classify(CURLcode code) {
    if (code == CURLE_OK) {
        if (!decoder_ && !begin_body()) return; // an empty body may still name an encoding that nobody knows
        if (decoder_->finish() != decode_status::ok)
            fail(failure_kind::truncated_body, "the compressed data ends early");
        return;
    }
    const std::string text = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
    const bool is_by_proxy = code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY ||
                             code == CURLE_COULDNT_CONNECT || text.find("proxy") != std::string::npos ||
                             text.starts_with("CONNECT "); // "CONNECT tunnel failed, response 407"
    if (!hop_.proxy.empty() && is_by_proxy)
        return fail(failure_kind::proxy_failed, "the proxy does not serve: " + text);
    if (!refused_address_.empty())
        return fail(failure_kind::address_forbidden, refused_address_ + " may not be fetched from");
    switch (code) {
    case CURLE_URL_MALFORMAT:
        return fail(failure_kind::bad_url, text);
    case CURLE_COULDNT_RESOLVE_HOST:
        return fail(failure_kind::dns_failed, text);
    case CURLE_COULDNT_CONNECT:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
        return fail(failure_kind::connection_failed, text);
    case CURLE_OPERATION_TIMEDOUT:
        return fail(failure_kind::timeout, text);
    case CURLE_SSL_CONNECT_ERROR:
        return fail(failure_kind::tls_failed, text);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        fail(failure_kind::tls_failed, text);
        failure_->cls = failure_class::permanent; // the certificate will be as wrong in a minute
        return;
    case CURLE_PARTIAL_FILE:
        return fail(failure_kind::truncated_body, text);
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        // 56 is also libcurl's word for a header block beyond its own limit.
        if (text.find("headers") != std::string::npos) return fail(failure_kind::bad_response, text);
        return fail(decoder_ ? failure_kind::truncated_body : failure_kind::connection_failed, text);
    case CURLE_OUT_OF_MEMORY: // a header line over libcurl's 100 KiB: the server's fault, not our memory
    case CURLE_UNSUPPORTED_PROTOCOL: // HTTP/0.9
    case CURLE_WEIRD_SERVER_REPLY:
        return fail(failure_kind::bad_response, text);
    default:
        return fail(failure_kind::connection_failed,
                    fmt::format("{} (libcurl {})", text, static_cast<int>(code)));
    }
}

response transfer::take_response() {
    response out;
    long number = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &number);
    out.status = static_cast<int>(number);
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &number);
    out.http_version = number == CURL_HTTP_VERSION_1_0 ? 10 : number == CURL_HTTP_VERSION_2_0 ? 20 : 11;
    curl_off_t us = 0;
    curl_easy_getinfo(easy_, CURLINFO_STARTTRANSFER_TIME_T, &us);
    out.first_byte_time = std::chrono::microseconds{us};
    if (connections_opened_ > 0) {
        curl_off_t tls_us = 0;
        curl_easy_getinfo(easy_, CURLINFO_CONNECT_TIME_T, &us);
        curl_easy_getinfo(easy_, CURLINFO_APPCONNECT_TIME_T, &tls_us);
        out.connect_time = std::chrono::microseconds{std::max(us, tls_us)};
    }
    count_cookies();
    out.headers = head_.take();
    out.bytes_received = bytes_received();
    out.suspicious_ratio = suspicious_ratio_;
    out.is_cut = is_cut_;
    if (decoder_) out.body = decoder_->take();
    return out;
}

} // namespace tiktrend::fetch
