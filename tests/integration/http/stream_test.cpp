#include "raw_client.hpp"
#include "running_server.hpp"
#include "sample_routes.hpp"

#include <tiktrend/testing/process.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using namespace tiktrend::testing;
using namespace std::chrono_literals;

TEST_CASE("events come as they are sent, in chunks that end", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/three"));
    const auto r = c.read();
    CHECK(r.status == 200);
    CHECK(r.headers.at("content-type") == "text/event-stream");
    CHECK(r.headers.at("cache-control") == "no-cache");
    CHECK(r.headers.at("transfer-encoding") == "chunked");
    CHECK(r.headers.at("connection") == "close");
    CHECK(r.body == "id: 0\ndata: line\ndata: break\n\nid: 1\ndata: line\ndata: break\n\nid: 2\ndata: "
                    "line\ndata: break\n\n"
                    ": done\n\n");
    CHECK(c.wait_end(5s) == raw_client::ending::orderly);
}

TEST_CASE("an HTTP/1.0 client gets plain events to the end of the connection", "[integration][http]") {
    running_server s{sample_routes()};
    const auto r = fetch(s.port(), "GET /three HTTP/1.0\r\n\r\n");
    CHECK(r.headers.count("transfer-encoding") == 0);
    CHECK(r.body.substr(0, 6) == "id: 0\n");
}

TEST_CASE("HEAD of a stream has no events", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(c.read(true).headers.at("content-type") == "text/event-stream");
    CHECK(c.read_all().empty());
}

TEST_CASE("a stream ends when its client leaves, even while it says nothing", "[integration][http]") {
    running_server s{sample_routes()};
    for (const bool with_reset : {false, true}) {
        sample_counters::reset();
        raw_client sending{s.port()}, silent{s.port()};
        sending.send(get("/events"));
        silent.send(get("/silent"));
        sending.read_until("id: 3\n");
        silent.read_until("\r\n\r\n");
        sending.close(with_reset);
        silent.close(with_reset);
        CHECK(poll_until([&] { return sample_counters::streams_ended() == 2; }));
        CHECK(poll_until([&] { return s.connections() == 0; }));
    }
    CHECK(s.log().find("failed") == std::string::npos);
}

TEST_CASE("a stream whose client does not read is cut off", "[integration][http]") {
    http::server_options o;
    o.write_timeout = 200ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port(), 4096};
    c.send(get("/flood"));
    CHECK(poll_until([&] { return sample_counters::streams_ended() == 1; }));
    CHECK(poll_until([&] { return s.connections() == 0; }));
}

TEST_CASE("streams outlive the handler's timeout", "[integration][http]") {
    http::server_options o;
    o.handler_timeout = 50ms;
    running_server s{sample_routes(), o};
    raw_client c{s.port()};
    c.send(get("/events"));
    c.read_until("id: 20\n"); // 200 ms
}

TEST_CASE("a stream that fails has no proper end", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/failing"));
    CHECK_THROWS(c.read());
    CHECK(poll_until([&] { return s.log().find("the stream broke") != std::string::npos; }));
}

TEST_CASE("a draining server tells its streams", "[integration][http]") {
    running_server s{sample_routes()};
    raw_client c{s.port()};
    c.send(get("/events"));
    c.read_until("id: 3\n");
    s.begin_stop(5s);
    c.read_until("event: bye\ndata: draining\n\n");
    c.read_until("0\r\n\r\n");
    CHECK(s.wait_stopped(3s));
}
