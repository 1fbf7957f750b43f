#include "crawl/follow_jobs.hpp"
#include "jobs/image_order.hpp"
#include "jobs/job_data.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace tiktrend;
using namespace tiktrend::worker;
using namespace std::chrono_literals;

namespace {

sources::registry_ptr definitions() {
    auto made = sources::make_registry({{"map.yaml", R"(
format: 1
id: t.page
kind: product
input: {url: {type: url}}
politeness: {delay: 2s}
request: {url: "{{ input.url }}"}
documents: {body: {parse: json}}
records: {from: body, path: [p]}
key: [field:sku]
fields: {sku: {path: [id], required: true}, title: {path: [t], required: true}}
)"}});
    if (!made) FAIL(sources::to_string(made.error().front()));
    return *made;
}

sources::follow_up link(const std::string& url) {
    return {"t.page", R"({"url":")" + url + R"("})", url};
}

scrape_order order_of(const std::string& crawl, int depth) {
    scrape_order o;
    o.run.job_id = "7";
    o.crawl = crawl;
    o.depth = depth;
    o.owner = "user:1";
    o.request_id = "r";
    return o;
}

} // namespace

TEST_CASE("links become jobs, one a link and crawl, spread by the source's delay", "[unit][worker]") {
    const auto all = definitions();
    const auto jobs =
        follow_jobs({link("http://a.test/1"), link("http://a.test/2")}, order_of("7", 0), *all, 0ms);
    REQUIRE(jobs.size() == 2);
    CHECK(jobs[0].name == "scrape_products");
    const auto data = parse_job_data(jobs[0].data);
    REQUIRE(data.has_value());
    CHECK(data->source == "t.page");
    CHECK(data->filters == R"({"url":"http://a.test/1"})");
    CHECK(data->owner == "user:1");
    CHECK(data->request_id == "r");
    CHECK(data->crawl == "7");
    CHECK(data->depth == 1);
    CHECK(jobs[0].options.delay == 0ms);
    CHECK(jobs[1].options.delay == 2s);
    CHECK(jobs[0].options.priority > 5);
    CHECK(jobs[0].options.id != jobs[1].options.id);
    // The same link on another page of the crawl is the same job; in another crawl it is not.
    CHECK(follow_jobs({link("http://a.test/2")}, order_of("7", 3), *all, 0ms)[0].options.id ==
          jobs[1].options.id);
    CHECK(follow_jobs({link("http://a.test/2")}, order_of("8", 0), *all, 0ms)[0].options.id !=
          jobs[1].options.id);
    CHECK(follow_jobs({link("http://a.test/1"), link("http://a.test/2")}, order_of("7", 0), *all, 5s)[1]
              .options.delay == 5s);
}

TEST_CASE("bad input 35: a chain of links ends", "[unit][worker][bad_input]") {
    const auto all = definitions();
    CHECK(follow_jobs({link("http://a.test/1")}, order_of("7", most_links_deep - 1), *all, 0ms).size() == 1);
    CHECK(follow_jobs({link("http://a.test/1")}, order_of("7", most_links_deep), *all, 0ms).empty());
}

TEST_CASE("bad input 43: the data of jobs that workers make is checked like any other",
          "[unit][worker][bad_input]") {
    job_data data;
    data.source = "x";
    data.report = R"({"pages":1})";
    CHECK(to_json(data) == R"({"source":"x","filters":{},"report":{"pages":1}})");
    CHECK(parse_job_data(to_json(data))->report == data.report);
    CHECK_FALSE(parse_job_data(R"({"source":"x","depth":-1})").has_value());
    CHECK_FALSE(parse_job_data(R"({"source":"x","depth":"1"})").has_value());
    CHECK_FALSE(parse_job_data(R"({"source":"x","report":[]})").has_value());
    CHECK_FALSE(parse_image_order("[]").has_value());
    CHECK_FALSE(parse_image_order(R"({"source":"x","images":[{"id":"1","url":"u"}]})").has_value());
    std::string many = R"({"source":"x","images":[{"id":1,"url":"u"})";
    for (std::size_t i = 0; i < image_order::most_items; ++i)
        many += R"(,{"id":1,"url":"u"})";
    CHECK_FALSE(parse_image_order(many + "]}").has_value());
    const auto read = parse_image_order(R"({"source":"s","images":[{"id":5,"url":"http://a.test/\"x"}]})");
    REQUIRE(read.has_value());
    CHECK(to_json(*read) == R"({"source":"s","images":[{"id":5,"url":"http://a.test/\"x"}]})");
}
