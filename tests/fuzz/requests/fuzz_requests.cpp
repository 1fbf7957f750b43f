// Requests: bytes give the same verdict however they are cut; queries, cursors and bodies are read or refused
// by a problem with a 4xx status, and what was understood is understood the same from its canonical form.
#include "fuzzing.hpp"
#include "json_body.hpp"
#include "product_query.hpp"
#include "product_request.hpp"
#include "request_parser.hpp"

#include <tiktrend/http/query.hpp>

namespace tiktrend::fuzz {
namespace {

const gateway::cursor_signer& signer() {
    static const gateway::cursor_signer s{"a secret of the fuzzer"};
    return s;
}

/// Runs `read`; a problem is the other allowed end, and its answer must be one of the client's mistakes.
template <class F>
bool is_read(F read) {
    try {
        read();
        return true;
    } catch (const http::problem& p) {
        require(p.status() >= 400 && p.status() < 500);
        require(!p.to_response("id").body.empty());
        return false;
    }
}

/// Reads a request that comes in two pieces. The status of its refusal, 200, or 0: it is not whole.
int parse(std::string_view bytes, std::size_t first, http::request& out) {
    http::head_scanner scanner{{1024, 2048, 20}};
    for (const auto upto : {std::min(first, bytes.size()), bytes.size()}) {
        const auto verdict = scanner.scan(bytes.substr(0, upto));
        if (verdict == http::head_scanner::verdict::more) continue;
        if (verdict == http::head_scanner::verdict::refused) {
            require(scanner.why().status >= 400);
            return scanner.why().status;
        }
        require(scanner.head_size() <= upto && scanner.skipped() <= scanner.head_size());
        http::request_parser parser;
        const auto head = bytes.substr(scanner.skipped(), scanner.head_size() - scanner.skipped());
        auto no = parser.parse_head(head, out, 1024);
        auto body = bytes.substr(scanner.head_size());
        while (!no && !parser.is_done() && !body.empty()) {
            std::size_t used = 0;
            no = parser.parse_body(body, used);
            require(used <= body.size());
            if (used == 0) break;
            body.remove_prefix(used);
        }
        require(out.body.size() <= 1024);
        return no ? no.status : parser.is_done() ? 200 : 0;
    }
    return 0;
}

void check_bytes(choices& c) {
    const auto cut = static_cast<std::size_t>(c.below(512));
    http::request whole;
    http::request halves;
    const auto status = parse(c.rest(), c.rest().size(), whole);
    require(status == parse(c.rest(), cut, halves));
    require(whole.target == halves.target && whole.body == halves.body);
}

void check_query(std::string_view text) {
    http::request r;
    r.set_target("/products?" + std::string{text});
    gateway::product_request read;
    if (!is_read([&] { read = gateway::read_product_request(r, signer()); })) return;
    const auto cursor = gateway::make_cursor(signer(), read, {"5", 7});
    require(signer().open(read.canonical, cursor) == "7:5");
    require(!signer().open(read.canonical + 'x', cursor));
    // The database is asked with bound values only.
    const auto statement = catalog::detail::build_list(read.query, false, {}, 21);
    require(statement.values.size() >= 1);
}

void check_body(std::string_view text) {
    http::request r;
    r.headers.set("Content-Type", "application/json");
    r.body = text;
    is_read([&] {
        simdjson::dom::parser parser;
        gateway::json_object_reader body{gateway::parse_json_object(parser, r), {"body"}};
        body.required_text("source", 1, 200);
        body.integer("priority", 0, 2'097'151);
        body.number("jitter", 0, 1);
        body.one_of("type", {"fixed", "exponential"});
        if (const auto inner = body.object("backoff")) {
            gateway::json_object_reader reader{*inner, body.place("backoff")};
            reader.integer("delay", 0, 5);
            body.add(reader.take_errors());
        }
        body.finish();
    });
}

} // namespace

std::vector<std::string> seeds() {
    using namespace std::string_literals;
    return {"\0\x40"s + "GET /products?limit=3 HTTP/1.1\r\nHost: a\r\n\r\n",
            "\0\x10"s + "POST /scraping/start HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}",
            "\0\x20"s +
                "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "\1source=demo.shop&price_min=1.50&price_max=2&q=%22a+b%22+-c&sort=price&order=asc&limit=5&"
            "trending=true",
            "\1category=a%26b%3D%25&currency=EUR&kind=trend&cursor=AAAA",
            "\2AAECAwQFBgcICQoLDA0ODxAREhM",
            "\3{\"source\":\"demo.shop\",\"priority\":5,\"backoff\":{\"type\":\"fixed\",\"delay\":3},"
            "\"jitter\":0.5}",
            "\4%41%zz+b%c3%a9"};
}

void check(std::string_view input) {
    choices c{input};
    switch (c.below(5)) {
    case 0:
        return check_bytes(c);
    case 1:
        return check_query(c.rest());
    case 2:
        require(!signer().open("scope", c.rest()));
        return;
    case 3:
        return check_body(c.rest());
    default:
        if (const auto text = http::percent_decode(c.rest()))
            require(http::percent_decode(http::percent_encode(*text)) == *text);
        return;
    }
}

} // namespace tiktrend::fuzz
