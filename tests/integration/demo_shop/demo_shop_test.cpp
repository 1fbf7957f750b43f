// The program itself, as demos and other tests start it.
#include "../http/raw_client.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <catch2/catch.hpp>
#include <simdjson.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>

using namespace tiktrend::testing;
using namespace std::chrono_literals;

namespace {

class running_shop {
public:
    explicit running_shop(std::vector<std::string> arguments = {}) {
        const char* bin = std::getenv("TIKTREND_BIN_DIR");
        REQUIRE(bin);
        const auto port_file = (dir_.path() / "port").string();
        std::vector<std::string> argv{std::string{bin} + "/tiktrend-demo-shop", "--port-file", port_file};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        process::options o;
        o.output = dir_.path() / "output";
        process_ = process{argv, o};
        REQUIRE(poll_until([&] { return static_cast<bool>(std::ifstream{port_file} >> port); }));
    }

    raw_response get(const std::string& path, const std::string& more = {}) const {
        return fetch(port, tiktrend::testing::get(path, more));
    }
    raw_response post(const std::string& path, const std::string& body = {}) const {
        return fetch(port, "POST " + path + " HTTP/1.1\r\nHost: shop.test\r\nContent-Length: " +
                               std::to_string(body.size()) + "\r\n\r\n" + body);
    }
    process& child() { return process_; }

    std::uint16_t port = 0;

private:
    temp_dir dir_;
    process process_;
};

simdjson::dom::element parse(simdjson::dom::parser& parser, const std::string& body) {
    simdjson::dom::element out;
    REQUIRE(parser.parse(body).get(out) == simdjson::SUCCESS);
    return out;
}

std::string text(simdjson::dom::element e) {
    return std::string{std::string_view{e}};
}

/// The body as far as it came, without looking at how it ended.
std::string read_what_comes(const running_shop& s, const std::string& path) {
    raw_client c{s.port};
    c.send(get(path));
    try {
        return c.read_all();
    } catch (const std::system_error&) {
        return "reset";
    }
}

} // namespace

TEST_CASE("the shop's own list has the agreed shape and ends with an empty page",
          "[integration][demo_shop]") {
    running_shop s{{"--products", "45"}};
    simdjson::dom::parser parser;
    std::size_t seen = 0;
    for (int page = 1; page <= 4; ++page) {
        const auto r = s.get("/api/products?page=" + std::to_string(page) + "&per_page=20");
        CHECK(r.status == 200);
        CHECK(r.headers.at("content-type") == "application/json");
        const auto list = parse(parser, r.body);
        CHECK(std::int64_t{list["page"]} == page);
        CHECK(std::int64_t{list["pages"]} == 3);
        CHECK(std::int64_t{list["total"]} == 45);
        const simdjson::dom::array products = list["products"];
        CHECK(products.size() == (page < 3 ? 20 : page == 3 ? 5 : 0));
        for (const auto p : products) {
            char sku[16];
            std::snprintf(sku, sizeof sku, "DS-%04zu", ++seen);
            CHECK(text(p["sku"]) == sku);
            for (const auto* name : {"name", "description", "category"})
                CHECK_FALSE(text(p[name]).empty());
            CHECK(text(p["price"]).find('.') == text(p["price"]).size() - 3);
            CHECK(text(p["currency"]) == "EUR");
            CHECK(p["was_price"].is_null()); // on the first day
            CHECK(std::int64_t{p["sold_total"]} >= std::int64_t{p["sold_7d"]});
            CHECK(double{p["rating"]} >= 3.0);
            CHECK(double{p["rating"]} <= 5.0);
            CHECK(text(p["image"]).substr(0, 24) == "http://shop.test/images/");
            CHECK(text(p["url"]).substr(0, 6) == "/p/ds-");
            CHECK(p["in_stock"].is_bool());
        }
    }
    CHECK(seen == 45);
    CHECK(s.get("/api/products?page=0").status == 400);
    CHECK(s.get("/api/products?page=x").status == 400);
    const auto one = s.get("/api/products/DS-0007");
    CHECK(text(parse(parser, one.body)["sku"]) == "DS-0007");
    CHECK(s.get("/api/products/DS-9999").status == 404);
}

TEST_CASE("the storefront list has the fields of a storefront", "[integration][demo_shop]") {
    running_shop s{{"--products", "30"}};
    simdjson::dom::parser parser;
    const auto r = s.get("/products.json?limit=250&page=1");
    const simdjson::dom::array products = parse(parser, r.body)["products"];
    CHECK(products.size() == 30);
    std::size_t with_sizes = 0;
    for (const auto p : products) {
        CHECK(std::int64_t{p["id"]} > 7'000'000'000'000);
        for (const auto* name : {"title", "handle", "body_html", "published_at", "vendor", "product_type"})
            CHECK_FALSE(text(p[name]).empty());
        CHECK(p["tags"].is_array());
        const simdjson::dom::array variants = p["variants"];
        with_sizes += variants.size() == 3 ? 1 : 0;
        for (const auto v : variants) {
            CHECK(text(v["price"]).find('.') != std::string::npos);
            CHECK(v["available"].is_bool());
            CHECK((v["compare_at_price"].is_null() || v["compare_at_price"].is_string()));
            CHECK(std::int64_t{v["product_id"]} == std::int64_t{p["id"]});
        }
        CHECK_FALSE(text(p["images"].at(0)["src"]).empty());
        CHECK(text(p["options"].at(0)["name"]) == (variants.size() == 3 ? "Size" : "Title"));
    }
    CHECK(with_sizes == 6);
    CHECK(s.get("/products.json?limit=250&page=2").body == R"({"products":[]})");
    CHECK(s.get("/products/ds-0001.json").status == 200);
    CHECK(s.get("/products/ds-0001").status == 404);
}

TEST_CASE("the same seed is the same shop, and days move it the same way", "[integration][demo_shop]") {
    running_shop a{{"--seed", "7"}}, b{{"--seed", "7"}}, other{{"--seed", "8"}};
    const std::string path = "/api/products?per_page=100";
    const auto first = a.get(path).body;
    CHECK(first == b.get(path).body);
    CHECK(first != other.get(path).body);
    for (int day = 1; day <= 3; ++day)
        for (auto* s : {&a, &b})
            CHECK(s->post("/_control/tick").body == "{\"day\":" + std::to_string(day) + "}");
    const auto later = a.get(path).body;
    CHECK(later == b.get(path).body);
    CHECK(later != first);
    CHECK(later.find("\"was_price\":\"") != std::string::npos); // something is on sale by now
    simdjson::dom::parser p1, p2;
    int moved = 0;
    for (std::size_t i = 0; i < 100; ++i)
        moved += text(parse(p1, first)["products"].at(i)["price"]) !=
                         text(parse(p2, later)["products"].at(i)["price"])
                     ? 1
                     : 0;
    CHECK(moved > 20);
    CHECK(moved < 90);
    a.post("/_control/reset");
    CHECK(a.get(path).body == first);
}

TEST_CASE("an unchanged page answers 304 until the day changes", "[integration][demo_shop]") {
    running_shop s;
    const auto first = s.get("/api/products?page=2");
    const auto etag = first.headers.at("etag");
    const auto again = s.get("/api/products?page=2", "If-None-Match: " + etag + "\r\n");
    CHECK(again.status == 304);
    CHECK(again.headers.at("etag") == etag);
    s.post("/_control/tick");
    CHECK(s.get("/api/products?page=2", "If-None-Match: " + etag + "\r\n").status == 200);
    simdjson::dom::parser parser;
    CHECK(std::int64_t{parse(parser, s.get("/_control/stats").body)["not_modified"]} == 1);
}

TEST_CASE("repricing moves the price of every nth product and nothing else", "[integration][demo_shop]") {
    running_shop s;
    const auto price = [&s](const char* sku) {
        const auto body = s.get(std::string{"/api/products/"} + sku).body;
        const auto at = body.find("\"price\"");
        REQUIRE(at != std::string::npos);
        return body.substr(at, body.find(',', at) - at);
    };
    const auto fifth = price("DS-0005"), sixth = price("DS-0006");
    CHECK(s.post("/_control/reprice?every=5").body.starts_with("{\"moved\":"));
    CHECK(price("DS-0005") != fifth);
    CHECK(price("DS-0006") == sixth);
}

TEST_CASE("people's pages, pictures and robots.txt are there", "[integration][demo_shop]") {
    running_shop s;
    CHECK(s.get("/robots.txt").body.find("Disallow: /_control") != std::string::npos);
    CHECK(s.get("/").body.find("/p/ds-0240") != std::string::npos);
    CHECK(s.get("/p/ds-0001").body.find("application/ld+json") != std::string::npos);
    CHECK(s.get("/images/ds-0001.svg").headers.at("content-type") == "image/svg+xml");
    CHECK(s.get("/cart.js").body.find("EUR") != std::string::npos);
}

TEST_CASE("rules misbehave for as many requests as they say, under their path", "[integration][demo_shop]") {
    running_shop s;
    CHECK(s.post("/_control", R"({"path":"/api","kind":"429","count":2,"skip":1,"retry_after":9})").status ==
          200);
    CHECK(s.get("/api/products").status == 200);
    for (int i = 0; i < 2; ++i) {
        CHECK(s.get("/robots.txt").status == 200);
        const auto r = s.get("/api/products");
        CHECK(r.status == 429);
        CHECK(r.headers.at("retry-after") == "9");
    }
    CHECK(s.get("/api/products").status == 200);
    s.post("/_control", R"({"rules":[{"kind":"500","path":"/api"},{"kind":"503","count":5}]})");
    CHECK(s.get("/api/products").status == 500);
    CHECK(s.get("/api/products").status == 503);
    fetch(s.port, "DELETE /_control HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(s.get("/api/products").status == 200);
    for (const auto* bad :
         {"", "[]", "{}", R"({"kind":"nonsense"})", R"({"kind":"429","cuont":1})",
          R"({"kind":"429","count":-1})", R"({"kind":"429","path":"api"})", R"({"kind":"999"})"})
        CHECK(s.post("/_control", bad).status == 422);
    CHECK(s.get("/api/products?misbehave=nonsense").status == 400);
    simdjson::dom::parser parser;
    const auto stats = parse(parser, s.get("/_control/stats").body);
    CHECK(std::int64_t{stats["requests"]["/api/products"]} == 8);
    CHECK(std::int64_t{stats["faults"]["429"]} == 2);
}

TEST_CASE("each way to misbehave does what its name says", "[integration][demo_shop]") {
    running_shop s;
    const auto path = [](const std::string& kind) { return "/api/products?per_page=3&misbehave=" + kind; };
    const auto good = s.get("/api/products?per_page=3").body;
    const auto body_of = [](const std::string& all) { return all.substr(all.find("\r\n\r\n") + 4); };

    CHECK(s.get(path("500")).status == 500);
    CHECK(s.get(path("503&retry_after=4")).headers.at("retry-after") == "4");
    CHECK(s.get(path("status&status=403")).status == 403);

    auto start = std::chrono::steady_clock::now();
    CHECK(s.get(path("slow&delay_ms=200")).body == good);
    CHECK(std::chrono::steady_clock::now() - start >= 200ms);

    start = std::chrono::steady_clock::now();
    CHECK(s.get("/cart.js?misbehave=drip&delay_ms=2").body.size() == s.get("/cart.js").body.size());
    CHECK(std::chrono::steady_clock::now() - start >= 80ms);

    CHECK_THROWS(s.get(path("cut")));
    CHECK(body_of(read_what_comes(s, path("cut"))).size() == good.size() / 2);
    CHECK_THROWS(s.get(path("reset")));
    CHECK_THROWS(s.get(path("long_length")));
    CHECK(body_of(read_what_comes(s, path("long_length"))) == good);
    CHECK(s.get(path("short_length")).body == good.substr(0, good.size() / 2));
    CHECK(body_of(read_what_comes(s, path("short_length"))) == good);

    const auto truncated = s.get(path("truncated_gzip"));
    CHECK(truncated.headers.at("content-encoding") == "gzip");
    CHECK(truncated.body.substr(0, 2) == "\x1f\x8b");
    const auto bomb = s.get(path("gzip_bomb&bytes=10000000"));
    CHECK(bomb.body.size() < 20'000);

    const auto empty = s.get(path("empty"));
    CHECK(empty.status == 200);
    CHECK(empty.headers.at("content-length") == "0");
    CHECK(s.get(path("html")).headers.at("content-type") == "text/html; charset=utf-8");
    const auto broken = s.get(path("bad_json"));
    CHECK(broken.headers.at("content-type") == "application/json");
    CHECK(broken.body == good.substr(0, good.size() / 2));

    CHECK(s.get(path("redirect_loop")).headers.at("location") == path("redirect_loop"));
    CHECK(s.get(path("redirect")).headers.at("location").find("169.254.169.254") != std::string::npos);
    CHECK(s.get(path("redirect&to=/password")).headers.at("location") == "/password");

    const auto huge = s.get(path("huge&bytes=3000000"));
    CHECK(huge.body.size() > 3'000'000);
    simdjson::dom::parser parser;
    CHECK(parse(parser, huge.body)["products"].is_array());

    raw_client endless{s.port};
    endless.send(get(path("endless")));
    std::size_t taken = 0;
    while (taken < 20'000'000)
        taken += endless.read_until(std::string(1000, ' ')).size();

    raw_client hanging{s.port};
    hanging.send(get(path("hang")));
    CHECK(hanging.wait_end(300ms) == raw_client::ending::still_open);
}

TEST_CASE("the shop tells how many requests it had at once", "[integration][demo_shop]") {
    running_shop s;
    const auto most = [&] {
        simdjson::dom::parser parser;
        return std::int64_t{parse(parser, s.get("/_control/stats").body)["concurrent_most"]};
    };
    std::vector<raw_client> clients;
    for (int i = 0; i < 5; ++i) {
        clients.emplace_back(s.port);
        clients.back().send(get("/?misbehave=hang"));
    }
    CHECK(poll_until([&] { return most() == 5; }));
    clients.clear();
    simdjson::dom::parser parser;
    CHECK(poll_until(
        [&] { return std::int64_t{parse(parser, s.get("/_control/stats").body)["concurrent_now"]} == 0; }));
}

TEST_CASE("SIGTERM ends the shop in time, whatever it is doing", "[integration][demo_shop]") {
    running_shop s;
    raw_client hanging{s.port}, idle{s.port}, endless{s.port};
    hanging.send(get("/?misbehave=hang"));
    endless.send(get("/?misbehave=endless"));
    endless.read_until("\r\n\r\n");
    s.child().signal(SIGTERM);
    CHECK(s.child().wait(3s) == 0);
}
