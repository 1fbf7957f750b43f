#include "request_parser.hpp"

#include <tiktrend/http/problem.hpp>

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <new>

namespace tiktrend::http {

namespace beast = boost::beast;
namespace bh = boost::beast::http;

/// Writes what Beast finds straight into the request.
class request_parser::beast_parser final : public bh::basic_parser<true> {
public:
    explicit beast_parser(request& into) : into_{into} {}

    request& into() noexcept { return into_; }
    unsigned hosts = 0, content_lengths = 0, transfer_encodings = 0;
    bool bad_length_text = false;

private:
    using field = bh::field;
    using view = beast::string_view;
    static std::string_view text(view v) noexcept { return {v.data(), v.size()}; }

    void on_request_impl(bh::verb, view name, view target, int version, beast::error_code& ec) override {
        ec = {};
        into_.method_text = text(name);
        into_.method = http::parse_method(into_.method_text);
        into_.set_target(text(target));
        into_.minor_version = version - 10;
    }

    void on_response_impl(int, view, int, beast::error_code& ec) override {
        ec = bh::error::bad_version;
    } // never called

    void on_field_impl(field f, view name, view value, beast::error_code& ec) override {
        ec = {};
        if (head_done_) return; // a trailer; nobody here has a use for one
        into_.headers.append(text(name), text(value));
        switch (f) {
        case field::host:
            ++hosts;
            break;
        case field::content_length:
            ++content_lengths;
            bad_length_text =
                bad_length_text || value.empty() ||
                !std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
            break;
        case field::transfer_encoding:
            ++transfer_encodings;
            break;
        default:
            break;
        }
    }

    void on_header_impl(beast::error_code& ec) override {
        ec = {};
        head_done_ = true;
    }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code& ec) override { ec = {}; }
    std::size_t on_body_impl(view body, beast::error_code& ec) override {
        ec = {};
        into_.body.append(body.data(), body.size());
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, view, beast::error_code& ec) override { ec = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, view body, beast::error_code& ec) override {
        return on_body_impl(body, ec);
    }
    void on_finish_impl(beast::error_code& ec) override { ec = {}; }

    request& into_;
    bool head_done_ = false;
};

namespace {

constexpr std::size_t beast_header_limit = 1U << 30; ///< head_scanner has bounded the head already

/// Characters of uri-host and port (RFC 3986 section 3.2); no user info, no path.
bool is_host(std::string_view host) noexcept {
    return std::all_of(host.begin(), host.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view{"-._~%!$&'()*+,;=:[]"}.find(c) != std::string_view::npos;
    });
}

refusal refusal_for(const beast::error_code& ec) noexcept {
    if (ec == bh::error::bad_version)
        return {505, "bad_version", "This server speaks HTTP/1.1 and HTTP/1.0."};
    if (ec == bh::error::body_limit) return {413, "body_too_large", "The body is too large."};
    if (ec == bh::error::bad_method) return {400, "bad_method", "The method is not a token."};
    if (ec == bh::error::bad_target) return {400, "bad_target", "The request target is not valid."};
    if (ec == bh::error::bad_field) return {400, "bad_header_name", "A header field's name is not a token."};
    if (ec == bh::error::bad_value)
        return {400, "bad_header_value", "A header field's value has control characters."};
    if (ec == bh::error::bad_content_length || ec == bh::error::multiple_content_length)
        return {400, "bad_content_length", "Content-Length must be one number."};
    if (ec == bh::error::bad_transfer_encoding)
        return {400, "ambiguous_framing", "The length of the body is given in two ways."};
    if (ec == bh::error::bad_chunk || ec == bh::error::bad_chunk_extension)
        return {400, "bad_chunk", "The chunked body is malformed."};
    return {400, "bad_request", "The request is not valid HTTP."};
}

} // namespace

request_parser::request_parser() {
    static_assert(sizeof(beast_parser) <= sizeof(storage_));
}
request_parser::~request_parser() {
    if (parser_) std::destroy_at(parser_);
}

bool request_parser::is_done() const noexcept {
    return parser_->is_done();
}

refusal request_parser::parse_head(std::string_view head, request& into, std::size_t max_body_bytes) {
    if (parser_) std::destroy_at(parser_);
    parser_ = ::new (static_cast<void*>(storage_)) beast_parser{into};
    parser_->header_limit(beast_header_limit);
    parser_->body_limit(max_body_bytes);
    into.bytes_in = head.size();
    expects_continue_ = false;

    beast::error_code ec;
    const auto used = parser_->put(boost::asio::const_buffer{head.data(), head.size()}, ec);
    // Framing first: Beast's own verdict on it may be milder, or come as a size error.
    if (parser_->content_lengths + parser_->transfer_encodings > 1)
        return {400, "ambiguous_framing", "The length of the body is given more than once."};
    if (parser_->bad_length_text) return {400, "bad_content_length", "Content-Length must be one number."};
    if (ec && ec != bh::error::body_limit) return refusal_for(ec);
    if (!ec && (used != head.size() || !parser_->is_header_done()))
        return {400, "bad_request", "The request is not valid HTTP."};
    if (const auto no = check_head(into)) return no;
    if (ec) return refusal_for(ec);
    into.keep_alive = parser_->keep_alive();
    expects_continue_ = !parser_->is_done() && into.minor_version == 1 && into.headers.has("Expect");
    return {};
}

refusal request_parser::check_head(request& r) const {
    const auto& h = r.headers;
    if (parser_->hosts > 1 || (parser_->hosts == 0 && r.minor_version == 1))
        return {400, "bad_host", "HTTP/1.1 wants exactly one Host field."};
    if (!is_host(h.get("Host"))) return {400, "bad_host", "The Host field is not a host."};
    if (parser_->transfer_encodings > 0) {
        if (r.minor_version == 0) return {400, "ambiguous_framing", "HTTP/1.0 has no transfer codings."};
        if (!equal_ignoring_case(h.get("Transfer-Encoding"), "chunked"))
            return {501, "unknown_transfer_coding", "The only transfer coding known here is chunked."};
    }
    if (h.has("Expect") && r.minor_version == 1 && !equal_ignoring_case(h.get("Expect"), "100-continue"))
        return {417, "unknown_expectation", "The only expectation known here is 100-continue."};
    if (r.target.find('#') != std::string::npos)
        return {400, "bad_target", "The request target has a fragment."};
    if (r.target.front() == '/' || (r.target == "*" && r.method == method::options)) return {};

    // Absolute form: only for the host that the Host field names, so that nobody in front took another one
    // for it.
    std::string_view rest = r.target;
    const auto scheme_end = rest.find("://");
    const auto scheme = rest.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos ||
        !(equal_ignoring_case(scheme, "http") || equal_ignoring_case(scheme, "https")))
        return {400, "bad_target", "The request target must be a path."};
    rest.remove_prefix(scheme_end + 3);
    const auto authority = rest.substr(0, rest.find_first_of("/?"));
    if (authority.empty() || !equal_ignoring_case(authority, h.get("Host")))
        return {400, "bad_target", "The request target names another host than the Host field."};
    rest.remove_prefix(authority.size());
    const std::string origin_form = (rest.empty() || rest.front() == '?' ? "/" : "") + std::string{rest};
    r.set_target(origin_form);
    return {};
}

refusal request_parser::parse_body(std::string_view bytes, std::size_t& consumed) {
    consumed = 0;
    // What is left of a chunked body ends in "0 CR LF CR LF" at least. Beast asserts that it sees all of that
    // at once after it saw a part, so it gets none of it before (Boost 1.81,
    // basic_parser::parse_chunk_header).
    constexpr std::size_t least_end_of_chunks = 5;
    if (parser_->chunked() && bytes.size() < least_end_of_chunks) return {};
    while (!parser_->is_done() && consumed < bytes.size()) {
        beast::error_code ec;
        const auto n =
            parser_->put(boost::asio::const_buffer{bytes.data() + consumed, bytes.size() - consumed}, ec);
        consumed += n;
        if (ec == bh::error::need_more) break;
        if (ec) return refusal_for(ec);
        if (parser_->chunked() && bytes.size() - consumed < least_end_of_chunks) break;
    }
    parser_->into().bytes_in += consumed;
    return {};
}

} // namespace tiktrend::http
