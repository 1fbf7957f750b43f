// Images into a real S3-compatible server (npm's s3rver), as children of the scrape that found them.
#include "scripted_shop.hpp"
#include "worker_stack.hpp"

#include <tiktrend/fetch/s3_client.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>

using namespace tiktrend;
using namespace tiktrend::worker_tests;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

const std::string bucket = "product-images";

std::filesystem::path source_dir() {
    const char* dir = std::getenv("TIKTREND_SOURCE_DIR");
    return dir ? dir : ".";
}

/// s3rver with one bucket. Its own key is "S3RVER" with the secret "S3RVER".
class object_store {
public:
    object_store() : port_{testing::free_port()} {
        testing::process::options o;
        o.output = dir_.path() / "log";
        process_ = testing::process{
            {"node",
             (source_dir() / "tests/integration/worker/node/node_modules/s3rver/bin/s3rver.js").string(),
             "-d", (dir_.path() / "data").string(), "-a", "127.0.0.1", "-p", std::to_string(port_),
             "--no-vhost-buckets", "--configure-bucket", bucket},
            o};
        std::filesystem::create_directories(dir_.path() / "data");
        if (!testing::poll_until([&] { return read_file(o.output).find("listening") != std::string::npos; },
                                 60s))
            throw std::runtime_error("s3rver did not start: " + read_file(o.output));
    }
    fetch::s3_options options() const {
        fetch::s3_options o;
        o.endpoint = "http://127.0.0.1:" + std::to_string(port_);
        o.bucket = bucket;
        o.key = {"S3RVER", "S3RVER", "us-east-1", "s3"};
        return o;
    }
    environment settings() const {
        return {{"IMAGES_ENDPOINT", options().endpoint},
                {"IMAGES_BUCKET", bucket},
                {"IMAGES_ACCESS_KEY_ID", "S3RVER"},
                {"IMAGES_SECRET_ACCESS_KEY", "S3RVER"},
                {"IMAGES_REGION", "us-east-1"},
                {"IMAGES_PUBLIC_URL", "https://images.example/"},
                {"IMAGES_DELAY", "0ms"}};
    }
    /// What s3rver keeps of an object: its bytes, and its headers as JSON.
    std::string bytes(const std::string& name) const { return read_file(file(name + "._S3rver_object")); }
    std::string headers(const std::string& name) const {
        return read_file(file(name + "._S3rver_metadata.json"));
    }

private:
    std::filesystem::path file(const std::string& name) const { return dir_.path() / "data" / bucket / name; }

    testing::temp_dir dir_;
    unsigned short port_;
    testing::process process_;
};

/// 64 x 64 pixels by its header; nobody decodes the rest.
const std::string picture = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x40\0\0\0\x40\x08\x02\0\0\0"s +
                            std::string(200'000, 'p'); // more than an answer of the store may have

std::map<std::string, scripted_shop::answer> shop_with_images() {
    const auto serve = [](std::string bytes, std::string type) {
        return [bytes = std::move(bytes), type = std::move(type)](const http::request&) {
            return http::response::text(200, bytes, type);
        };
    };
    return {{"/list",
             [](const http::request& r) {
                 const auto origin = "http://" + std::string{r.headers.get("Host")};
                 std::string rows;
                 for (const char* name : {"a.png", "copy-of-a.png", "liar.png", "gone.png"})
                     rows += fmt::format(R"({}{{"id":"{}","t":"T","image":"{}/{}"}})",
                                         rows.empty() ? "" : ",", name, origin, name);
                 return http::response::json(200, fmt::format(R"({{"rows":[{}]}})", rows));
             }},
            {"/a.png", serve(picture, "application/octet-stream")},
            {"/copy-of-a.png", serve(picture, "image/png")},
            {"/liar.png", serve("<svg><script>alert(1)</script></svg>", "image/png")}};
}

void write_definition(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    std::ofstream{folder / "t.yaml"} << R"(
format: 1
id: t.pictures
version: 1
kind: product
input: {shop: {type: origin}}
politeness: {delay: 0s}
request: {url: "{{ input.shop }}/list"}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [field:sku]
fields:
  sku: {path: [id], required: true}
  title: {path: [t], required: true}
  image: {path: [image], type: url}
)";
}

task<void> store_two_ways(fetch::s3_options good, std::string& out) {
    const auto ex = co_await asio::this_coro::executor;
    auto wrong = good;
    wrong.key.access_key_id = "NOBODY";
    fetch::s3_client client{ex, good};
    fetch::s3_client intruder{ex, wrong};
    fetch::s3_object object;
    object.name = "folder/a name with + and é.txt";
    object.bytes = "hello";
    object.content_type = "text/plain";
    object.cache_control = "no-store";
    const auto before = co_await client.has(object.name);
    const auto put = co_await client.put(object);
    const auto after = co_await client.has(object.name);
    const auto refused = co_await intruder.put(object);
    out = fmt::format("{} {} {} {}", before.value(), put.value(), after.value(),
                      refused ? "stored" : refused.error().detail);
    co_await client.stop();
    co_await intruder.stop();
}

} // namespace

// s3rver looks the key up but does not compute signatures of this version; Amazon's own vectors do
// (sigv4_test.cpp).
TEST_CASE("a real S3 server takes objects, and refuses a key that it does not know",
          "[integration][worker][images]") {
    const object_store store;
    std::string out;
    testing::run_coroutine(store_two_ways(store.options(), out), 30s);
    INFO(out);
    CHECK(out.starts_with("false true true the store answered 403"));
    CHECK(out.find("InvalidAccessKeyId") != std::string::npos);
    CHECK(store.bytes("folder/a name with + and é.txt") == "hello");
}

TEST_CASE("curl trap 18: product images are mirrored once by their content, and the scrape ends after them",
          "[integration][worker][images]") {
    const object_store store;
    const scripted_shop shop{shop_with_images()};
    worker_stack stack;
    write_definition(stack.directory() / "sources");
    auto settings = store.settings();
    settings["SOURCES_DIR"] = (stack.directory() / "sources").string();
    settings["FETCH_ALLOW"] = shop.host();
    const auto worker = stack.start_worker(settings);
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.pictures","filters":{{"shop":"{}"}}}})", shop.url(""));
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    const auto result = stack.result(id);
    INFO(boost::json::serialize(result));
    INFO(stack.log(1));
    CHECK(result.at("products_found") == 4);
    CHECK(result.at("image_jobs") == 1);
    CHECK(result.at("images").at("mirrored") == 1);
    CHECK(result.at("images").at("present") == 1);
    CHECK(result.at("images").at("refused") == 2);

    const auto name =
        "images/" + stack.sql("SELECT split_part(image_cdn_url, '/images/', 2) FROM products WHERE "
                              "external_id = 'a.png'");
    CHECK(store.bytes(name) == picture);
    CHECK(store.headers(name).find("public, max-age=31536000, immutable") != std::string::npos);
    CHECK(store.headers(name).find("image/png") != std::string::npos);
    CHECK(stack.sql("SELECT count(*), count(DISTINCT image_cdn_url) FROM products WHERE image_cdn_url LIKE "
                    "'https://images.example/images/%.png'") == "2|1");
    CHECK(stack.sql("SELECT count(*) FROM products WHERE image_cdn_url IS NULL") == "2");

    // Nothing changed: nothing is asked for again.
    const auto again = stack.add(order);
    REQUIRE(stack.wait_for_state(again, "completed"));
    CHECK(stack.result(again).at("image_jobs") == 0);
}

TEST_CASE("a host of images that asks for patience gets it, and the rest is mirrored later",
          "[integration][worker][images]") {
    const object_store store;
    std::atomic<int> refusals{1};
    auto answers = shop_with_images();
    answers["/copy-of-a.png"] = [&refusals](const http::request&) {
        if (refusals-- <= 0) return http::response::text(200, picture, "image/png");
        auto out = http::response::text(429, "slow down", "text/plain");
        out.headers.add("Retry-After", "2");
        return out;
    };
    const scripted_shop shop{std::move(answers)};
    worker_stack stack;
    write_definition(stack.directory() / "sources");
    auto settings = store.settings();
    settings["SOURCES_DIR"] = (stack.directory() / "sources").string();
    settings["FETCH_ALLOW"] = shop.host();
    const auto worker = stack.start_worker(settings);
    worker_stack::job_order order;
    order.data = fmt::format(R"({{"source":"t.pictures","filters":{{"shop":"{}"}}}})", shop.url(""));
    const auto begun = std::chrono::steady_clock::now();
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(std::chrono::steady_clock::now() - begun >= 2s);
    INFO(stack.log(1));
    const auto images = stack.result(id).at("images").as_object();
    CHECK(images.at("mirrored").as_int64() + images.at("present").as_int64() == 2);
    CHECK(images.at("refused") == 2);
    CHECK(images.at("failed") == 0);
    std::map<std::string, int> times;
    for (const auto& target : shop.asked())
        ++times[target];
    CHECK(times["/copy-of-a.png"] == 2);
    CHECK(times["/a.png"] == 1); // what is done is not done again
}

TEST_CASE("without storage an order of images is skipped", "[integration][worker][images]") {
    worker_stack stack;
    const auto worker = stack.start_worker();
    worker_stack::job_order order;
    order.name = "mirror_images";
    order.data = R"({"source":"x","images":[{"id":1,"url":"http://127.0.0.1:1/a.png"}]})";
    const auto id = stack.add(order);
    REQUIRE(stack.wait_for_state(id, "completed"));
    CHECK(stack.field(id, "returnvalue") == R"({"skipped":1})");
}
