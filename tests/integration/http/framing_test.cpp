// Requests that two readers could take differently, and plain nonsense: each is answered with an error and
// the end of the connection, and never reaches a handler.
#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <catch2/catch.hpp>

using namespace tiktrend::testing;

namespace {

struct bad_request {
    const char* what;
    std::string bytes;
    int status;
};

const std::string post = "POST /echo HTTP/1.1\r\nHost: a\r\n";
const std::string smuggled = "GET /items/smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

std::vector<bad_request> bad_requests() {
    return {
        {"length and coding", post + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
         400},
        {"coding and length", post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", 400},
        {"two lengths", post + "Content-Length: 3\r\nContent-Length: 5\r\n\r\nabcde", 400},
        {"the same length twice", post + "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"a list of lengths", post + "Content-Length: 3, 3\r\n\r\nabc", 400},
        {"a signed length", post + "Content-Length: +3\r\n\r\nabc", 400},
        {"a negative length", post + "Content-Length: -1\r\n\r\n", 400},
        {"a hexadecimal length", post + "Content-Length: 0x3\r\n\r\nabc", 400},
        {"an empty length", post + "Content-Length: \r\n\r\n", 400},
        {"a length beyond 64 bits", post + "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
         400},
        {"chunked twice", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         400},
        {"an unknown coding", post + "Transfer-Encoding: gzip\r\n\r\n", 501},
        {"gzip before chunked", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501},
        {"chunked not last", post + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 501},
        {"a look-alike of chunked", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501},
        {"quoted chunked", post + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501},
        {"chunked behind a control character",
         post + "Transfer-Encoding: \x0b"
                "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"a coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"a blank before the colon", post + "Content-Length : 3\r\n\r\nabc", 400},
        {"a folded field", post + "X: a\r\n b\r\nContent-Length: 3\r\n\r\nabc", 400},
        {"a folded first field", "POST /echo HTTP/1.1\r\n Host: a\r\n\r\n", 400},
        {"a bare line feed after the request line", "GET /hello HTTP/1.1\nHost: a\r\n\r\n", 400},
        {"a bare line feed after a field", "GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n", 400},
        {"a bare line feed at the end", "GET /hello HTTP/1.1\r\nHost: a\r\n\n", 400},
        {"a bare carriage return in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", 400},
        {"a NUL in a value", std::string("GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", 41), 400},
        {"a name that is no token", "GET /hello HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n", 400},
        {"a name outside ASCII", "GET /hello HTTP/1.1\r\nHost: a\r\nX\xc3\xa9: z\r\n\r\n", 400},
        {"an empty name", "GET /hello HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n", 400},
        {"a line without a colon", "GET /hello HTTP/1.1\r\nHost: a\r\nnonsense\r\n\r\n", 400},
        {"no Host", "GET /hello HTTP/1.1\r\n\r\n", 400},
        {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
        {"a Host with a path", "GET /hello HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {"a Host with user info", "GET /hello HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
        {"a Host with blanks", "GET /hello HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"a target that is no path", "GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"an asterisk without OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400},
        {"another scheme", "GET ftp://a/hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"a fragment", "GET /hello#x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"two blanks in the request line", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"HTTP/0.9", "GET /hello\r\n\r\n", 400},
        {"HTTP/2's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"TLS", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n", 12), 400},
        {"empty lines for ever", "\r\n\r\n\r\n\r\n", 400},
        {"a chunk size that is none", post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"a chunk size with a prefix", post + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
         400},
        {"a negative chunk size", post + "Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400},
        {"a chunk size beyond 64 bits", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
         400},
        {"a chunk that is longer than it says",
         post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400},
        {"a bare line feed after a chunk size",
         post + "Transfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n", 400},
        {"a line feed in a chunk extension",
         post + "Transfer-Encoding: chunked\r\n\r\n3;a\nb\r\nabc\r\n0\r\n\r\n", 400},
        {"a last chunk without its end", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nG", 400},
        {"a broken trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nno colon\r\n\r\n", 400},
        {"a length in a trailer", post + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n",
         400},
    };
}

} // namespace

TEST_CASE("framing that could be read two ways is refused and the connection ends", "[integration][http]") {
    running_server s{sample_routes()};
    for (const auto& bad : bad_requests()) {
        INFO(bad.what);
        raw_client c{s.port()};
        c.try_send(bad.bytes + smuggled);
        const auto r = c.read();
        CHECK(r.status == bad.status);
        CHECK(r.headers.at("connection") == "close");
        CHECK(r.headers.at("content-type") == "application/problem+json");
        CHECK(r.body.find("\"request_id\":\"" + r.headers.at("x-request-id") + "\"") != std::string::npos);
        CHECK(c.read_all().empty()); // nothing that followed was taken for a request
    }
    CHECK(s.requests_in_flight() == 0);
}

TEST_CASE("the same requests are refused byte by byte", "[integration][http]") {
    running_server s{sample_routes()};
    for (const auto& bad : bad_requests()) {
        INFO(bad.what);
        raw_client c{s.port()};
        for (const char byte : bad.bytes + smuggled)
            if (!c.try_send({&byte, 1})) break;
        CHECK(c.read().status == bad.status);
    }
}

TEST_CASE("what only looks odd is answered", "[integration][http]") {
    running_server s{sample_routes()};
    const auto status = [&](const std::string& bytes) { return fetch(s.port(), bytes).status; };
    CHECK(status("\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
    CHECK(status("GET /hello HTTP/1.1\r\nhOsT:a\r\n\r\n") == 200);
    CHECK(status("GET /hello HTTP/1.1\r\nHost: \r\n\r\n") == 200);
    CHECK(status("GET /hello HTTP/1.1\r\nHost: [::1]:8080\r\nX:\r\n\r\n") == 200);
    CHECK(status("GET /hello HTTP/1.1\r\nHost: a\r\nX: \xc3\xa9\r\n\r\n") == 200);
    CHECK(status("GET /hello? HTTP/1.1\r\nHost: a\r\n\r\n") == 200);
    CHECK(status("GET /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc") == 200);
    CHECK(status(post + "Content-Length: 0\r\n\r\n") == 200);
    CHECK(status(post + "Content-Length: 0003\r\n\r\nabc") == 200);
    CHECK(status(post + "Transfer-Encoding: CHUNKED\r\n\r\n003\r\nabc\r\n000\r\n\r\n") == 200);
}
