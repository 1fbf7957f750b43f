#pragma once
#include <catch2/catch.hpp>

#include <string>

namespace tiktrend::sources::testing {

/// The smallest whole definition; each test breaks one thing in it. Lines are counted in the tests.
inline const std::string good = R"(format: 1
id: test.shop
kind: product
input: {shop: {type: host}}
request: {url: "https://{{ input.shop }}/list"}
documents: {body: {parse: json}}
records: {from: body, path: [rows]}
key: [field:id]
fields:
  id: {path: [id], required: true}
  title: {path: [title]}
)";

/// `good` with one text replaced by another.
inline std::string with(const std::string& from, const std::string& to) {
    auto out = good;
    const auto at = out.find(from);
    REQUIRE(at != std::string::npos);
    return out.replace(at, from.size(), to);
}

} // namespace tiktrend::sources::testing
