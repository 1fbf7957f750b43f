#include "response_parser.hpp"
#include "upstream_stream.hpp"

#include <tiktrend/base/timeout.hpp>
#include <tiktrend/http/upstream.hpp>

#include <algorithm>
#include <charconv>
#include <deque>

namespace tiktrend::http {
namespace {

constexpr std::size_t read_size = 16U << 10;

bool is_host_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

} // namespace

std::optional<origin> parse_origin(std::string_view url) {
    origin o;
    if (url.starts_with("https://")) {
        o.tls = true;
        o.port = 443;
        url.remove_prefix(8);
    } else if (url.starts_with("http://")) {
        url.remove_prefix(7);
    } else {
        return std::nullopt;
    }
    if (url.find_first_of("?#@\\ \t\r\n") != std::string_view::npos) return std::nullopt;
    auto authority = url.substr(0, url.find('/'));
    auto base = url.substr(authority.size());
    while (base.ends_with('/'))
        base.remove_suffix(1);
    o.base = base;
    o.authority = authority;
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        o.host = authority.substr(1, end - 1);
        error_code ec;
        asio::ip::make_address_v6(o.host, ec);
        if (ec) return std::nullopt;
        authority.remove_prefix(end + 1);
    } else {
        o.host = authority.substr(0, authority.find(':'));
        authority.remove_prefix(o.host.size());
        if (o.host.empty() || !std::all_of(o.host.begin(), o.host.end(), is_host_character))
            return std::nullopt;
    }
    if (authority.empty()) return o;
    if (authority.front() != ':') return std::nullopt;
    authority.remove_prefix(1);
    const auto [end, ec] = std::from_chars(authority.data(), authority.data() + authority.size(), o.port);
    if (ec != std::errc{} || end != authority.data() + authority.size() || o.port == 0) return std::nullopt;
    return o;
}

task<std::string> upstream_answer::read_all(std::size_t max) {
    std::string out;
    for (;;) {
        const auto piece = co_await read();
        if (piece.empty()) co_return out;
        out += piece;
        if (out.size() > max) throw system_error(errc::overloaded, "the answer is too large");
    }
}

struct upstream::impl {
    impl(asio::any_io_executor e, origin w, upstream_options o)
        : executor{std::move(e)}, where{std::move(w)}, options{std::move(o)} {
        if (where.tls) tls = make_client_tls(options.ca_file);
    }

    struct kept {
        std::unique_ptr<upstream_stream> stream;
        std::chrono::steady_clock::time_point until;
    };

    /// The newest idle connection that is still good, or nothing.
    std::unique_ptr<upstream_stream> take_idle() {
        const auto now = std::chrono::steady_clock::now();
        while (!idle.empty()) {
            auto k = std::move(idle.back());
            idle.pop_back();
            if (k.until > now && k.stream->is_quiet()) return std::move(k.stream);
        }
        return nullptr;
    }

    void give_back(std::unique_ptr<upstream_stream> stream) {
        if (is_closed || idle.size() >= options.keep) return;
        idle.push_back({std::move(stream), std::chrono::steady_clock::now() + options.max_idle});
    }

    task<std::unique_ptr<upstream_stream>> connect() {
        auto stream = std::make_unique<upstream_stream>(executor);
        std::optional<system_error> failed;
        try {
            co_await within(options.connect_timeout, stream->connect(where, tls));
        } catch (const system_error& e) {
            if (is_cancelled(e.code())) throw;
            failed = e;
        }
        if (failed) throw not_connected{failed->code(), failed->what()};
        co_return stream;
    }

    std::string head_of(const upstream_request& r) const {
        std::string out = r.method + ' ' + where.base + r.target + " HTTP/1.1\r\nHost: " + where.authority;
        for (const auto f : r.headers)
            out.append("\r\n").append(f.name).append(": ").append(f.value);
        if (!r.body.empty() || (r.method != "GET" && r.method != "HEAD"))
            out.append("\r\nContent-Length: ").append(std::to_string(r.body.size()));
        return out + "\r\n\r\n";
    }

    asio::any_io_executor executor;
    const origin where;
    const upstream_options options;
    std::shared_ptr<asio::ssl::context> tls;
    std::deque<kept> idle;
    bool is_closed = false;
};

namespace {

error_code bad_answer() {
    return boost::system::errc::make_error_code(boost::system::errc::bad_message);
}

} // namespace

/// One exchange over one connection.
class exchange final : public upstream_answer {
public:
    exchange(std::shared_ptr<upstream::impl> owner, std::unique_ptr<upstream_stream> stream, bool no_body)
        : owner_{std::move(owner)}, stream_{std::move(stream)}, no_body_{no_body},
          parser_{std::in_place, owner_->options.max_header_bytes, no_body} {}

    task<void> start(const std::string& bytes) {
        co_await stream_->write(bytes);
        for (;;) {
            while (!parser_->has_head())
                co_await advance();
            status = parser_->status();
            if (status / 100 != 1 || status == 101) break;
            parser_.emplace(owner_->options.max_header_bytes, no_body_);
            feed(); // what came behind it
        }
        headers = std::move(parser_->headers());
    }

    task<std::string> read() override {
        for (;;) {
            auto piece = parser_->take_body();
            if (!piece.empty()) co_return piece;
            if (parser_->is_done()) break;
            co_await advance();
        }
        if (stream_ && parser_->keep_alive() && !ended_ && pending_.empty())
            owner_->give_back(std::move(stream_));
        stream_.reset();
        co_return std::string{};
    }

private:
    void feed() {
        error_code ec;
        pending_.erase(0, parser_->put(pending_, ec));
        if (ec) throw system_error{bad_answer(), "answer: " + ec.message()};
    }

    task<void> advance() {
        const auto before = pending_.size();
        pending_.resize(before + read_size);
        const auto n = co_await stream_->read_some(asio::buffer(pending_.data() + before, read_size));
        pending_.resize(before + n);
        if (n > 0) {
            feed();
            co_return;
        }
        ended_ = true;
        error_code ec;
        parser_->put_end(ec);
        if (ec || !parser_->is_done())
            throw system_error{asio::error::connection_reset, "the answer ended early"};
    }

    std::shared_ptr<upstream::impl> owner_;
    std::unique_ptr<upstream_stream> stream_;
    bool no_body_;
    bool ended_ = false;
    std::optional<response_parser> parser_;
    std::string pending_; ///< read, not yet taken by the parser
};

upstream::upstream(asio::any_io_executor executor, origin where, upstream_options options)
    : impl_{std::make_shared<impl>(std::move(executor), std::move(where), std::move(options))} {}

upstream::~upstream() {
    impl_->is_closed = true;
    close_idle();
}

const origin& upstream::where() const noexcept {
    return impl_->where;
}
void upstream::close_idle() noexcept {
    impl_->idle.clear();
}

task<std::unique_ptr<upstream_answer>> upstream::send(const upstream_request& r) {
    auto owner = impl_;
    auto stream = owner->take_idle();
    if (!stream) stream = co_await owner->connect();
    auto e = std::make_unique<exchange>(owner, std::move(stream), r.method == "HEAD");
    co_await e->start(owner->head_of(r) + r.body);
    co_return std::move(e);
}

} // namespace tiktrend::http
