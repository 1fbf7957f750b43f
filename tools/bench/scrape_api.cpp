#include "scrape_api.hpp"

#include "benches.hpp"

#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace tiktrend::bench {

namespace json = boost::json;

std::string output_of(std::vector<std::string> argv) {
    const testing::temp_dir dir;
    testing::process::options options;
    options.output = dir.path() / "output";
    const auto name = argv.at(0);
    const auto status = testing::run(std::move(argv), options);
    std::ifstream file{options.output};
    std::string text{std::istreambuf_iterator<char>{file}, {}};
    if (status != 0) throw std::runtime_error(fmt::format("{} ended with {}: {}", name, status, text));
    return text;
}

json::object api(std::vector<std::string> words, const std::string& path) {
    std::vector<std::string> argv{"curl", "--silent", "--fail-with-body", "--header",
                                  "Authorization: Bearer " + environment("API_KEY")};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.push_back(environment("GATEWAY_URL") + path);
    return json::parse(output_of(std::move(argv))).as_object();
}

double milliseconds_of(const json::value& time) {
    const std::string text{time.as_string()};
    const auto part = [&](std::size_t at, std::size_t n) { return std::stod(text.substr(at, n)); };
    return ((part(11, 2) * 60 + part(14, 2)) * 60 + part(17, 2)) * 1000 + part(20, 3);
}

void forget_products() {
    output_of({"psql", environment("DATABASE_URL"), "--quiet", "--no-psqlrc", "--command",
               "truncate products, product_history, page_cache, peer_products cascade"});
}

} // namespace tiktrend::bench
