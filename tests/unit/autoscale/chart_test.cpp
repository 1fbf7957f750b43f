#include "chart.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace tiktrend::autoscale;

TEST_CASE("a chart is one small SVG of its own", "[unit][autoscale]") {
    std::istringstream text{"length 24h\nday 24h 5/s 0.1/s\n"};
    const auto o = simulate(read_trace(text), {});
    const auto svg = draw(o.samples, {.title = "a <day> & a night", .subtitle = "", .max_replicas = 20});
    CHECK(svg.starts_with("<svg "));
    CHECK(svg.ends_with("</svg>\n"));
    CHECK(svg.find("a &lt;day&gt; &amp; a night") != std::string::npos);
    CHECK(svg.find("<script") == std::string::npos);
    CHECK(svg.find("nan") == std::string::npos);
    CHECK(svg.size() < 200'000);
}

TEST_CASE("nothing to draw is no reason to fail", "[unit][autoscale]") {
    CHECK(draw({}, {}).ends_with("</svg>\n"));
    CHECK(draw({{moment{0}, 0, 3, 3, true}}, {}).ends_with("</svg>\n"));
}
