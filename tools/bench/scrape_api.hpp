#pragma once
#include <boost/json.hpp>

#include <string>
#include <vector>

namespace tiktrend::bench {

/// What a program prints. Throws std::runtime_error with that if it fails.
std::string output_of(std::vector<std::string> argv);

/// One request to the gateway, by curl with `words`. Throws std::runtime_error for a status of 400 or more.
boost::json::object api(std::vector<std::string> words, const std::string& path);

/// Milliseconds of an RFC 3339 time within its day; the jobs here do not run over midnight often enough to
/// matter.
double milliseconds_of(const boost::json::value& time);

/// Empties what a scrape writes, on both sides, so that every product is new again.
void forget_products();

} // namespace tiktrend::bench
