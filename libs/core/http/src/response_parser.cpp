#include "response_parser.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include <limits>

namespace tiktrend::http {

namespace beast = boost::beast;
namespace bh = boost::beast::http;

class response_parser::beast_parser final : public bh::basic_parser<false> {
public:
    int status = 0;
    http::headers fields;
    std::string body;

private:
    using view = beast::string_view;

    void on_request_impl(bh::verb, view, view, int, beast::error_code& ec) override {
        ec = bh::error::bad_version;
    } // never called
    void on_response_impl(int code, view, int, beast::error_code& ec) override {
        ec = {};
        status = code;
    }
    void on_field_impl(bh::field, view name, view value, beast::error_code& ec) override {
        ec = {};
        if (is_head_done_) return; // a trailer
        try {
            fields.add({name.data(), name.size()}, {value.data(), value.size()});
        } catch (const std::invalid_argument&) {
            ec = bh::error::bad_field;
        }
    }
    void on_header_impl(beast::error_code& ec) override {
        ec = {};
        is_head_done_ = true;
    }
    void on_body_init_impl(boost::optional<std::uint64_t> const&, beast::error_code& ec) override { ec = {}; }
    std::size_t on_body_impl(view text, beast::error_code& ec) override {
        ec = {};
        body.append(text.data(), text.size());
        return text.size();
    }
    void on_chunk_header_impl(std::uint64_t, view, beast::error_code& ec) override { ec = {}; }
    std::size_t on_chunk_body_impl(std::uint64_t, view text, beast::error_code& ec) override {
        return on_body_impl(text, ec);
    }
    void on_finish_impl(beast::error_code& ec) override { ec = {}; }

    bool is_head_done_ = false;
};

response_parser::response_parser(std::size_t max_header_bytes, bool no_body)
    : parser_{std::make_unique<beast_parser>()} {
    parser_->eager(true);
    parser_->skip(no_body);
    parser_->header_limit(static_cast<std::uint32_t>(max_header_bytes));
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max()); // the reader bounds it
}

response_parser::~response_parser() = default;

std::size_t response_parser::put(std::string_view bytes, error_code& ec) {
    std::size_t used = 0;
    ec = {};
    // As request_parser::parse_body(): Beast wants to see the end of a chunked body in one piece.
    constexpr std::size_t least_end_of_chunks = 5;
    while (!parser_->is_done() && used < bytes.size()) {
        if (parser_->is_header_done() && parser_->chunked() && bytes.size() - used < least_end_of_chunks)
            break;
        const auto n = parser_->put(boost::asio::const_buffer{bytes.data() + used, bytes.size() - used}, ec);
        used += n;
        if (ec == bh::error::need_more) {
            ec = {};
            break;
        }
        if (ec) break;
    }
    return used;
}

void response_parser::put_end(error_code& ec) {
    // Without a single byte Beast takes the end for the end of an answer.
    if (parser_->got_some())
        parser_->put_eof(ec);
    else
        ec = bh::error::end_of_stream;
}
bool response_parser::has_head() const noexcept {
    return parser_->is_header_done();
}
bool response_parser::is_done() const noexcept {
    return parser_->is_done();
}
bool response_parser::keep_alive() const noexcept {
    return parser_->keep_alive();
}
int response_parser::status() const noexcept {
    return parser_->status;
}
http::headers& response_parser::headers() noexcept {
    return parser_->fields;
}
std::string response_parser::take_body() {
    return std::exchange(parser_->body, {});
}

} // namespace tiktrend::http
