#include "job_data.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>
#include <simdjson.h>

namespace tiktrend::worker {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t longest_name = 200;
constexpr std::int64_t most_depth = 100;

/// What is wrong with a text member; empty if it was read into `out`.
std::string read_text(std::string_view name, dom::element value, std::string& out) {
    std::string_view text;
    if (value.get(text)) return fmt::format("data.{}: expected text", name);
    if (text.size() > longest_name)
        return fmt::format("data.{}: expected at most {} bytes", name, longest_name);
    out = text;
    return {};
}

} // namespace

result<job_data, bad_job_data> parse_job_data(std::string_view json) {
    dom::parser parser;
    dom::object object;
    dom::element root;
    if (const auto error = parser.parse(json.data(), json.size()).get(root))
        return bad_job_data{fmt::format("data: not JSON ({})", simdjson::error_message(error))};
    if (root.get(object)) return bad_job_data{"data: expected a JSON object with source and filters"};
    job_data out;
    for (const auto [name, value] : object) {
        if (name == "source" || name == "request_id" || name == "owner" || name == "crawl") {
            auto wrong = read_text(name, value,
                                   name == "source"  ? out.source
                                   : name == "owner" ? out.owner
                                   : name == "crawl" ? out.crawl
                                                     : out.request_id);
            if (!wrong.empty()) return bad_job_data{std::move(wrong)};
        } else if (name == "filters") {
            if (!value.is_object() && !value.is_null())
                return bad_job_data{"data.filters: expected an object"};
            out.filters = value.is_null() ? "{}" : simdjson::minify(value);
        } else if (name == "unmetered") {
            if (value.get(out.is_unmetered)) return bad_job_data{"data.unmetered: expected true or false"};
        } else if (name == "depth") {
            std::int64_t depth = 0;
            if (value.get(depth) || depth < 0 || depth > most_depth)
                return bad_job_data{fmt::format("data.depth: expected a number from 0 to {}", most_depth)};
            out.depth = static_cast<int>(depth);
        } else if (name == "report") {
            if (!value.is_object()) return bad_job_data{"data.report: expected an object"};
            out.report = simdjson::minify(value);
        } else {
            return bad_job_data{
                fmt::format("data.{}: unknown member; expected source, filters, request_id and owner",
                            name.substr(0, longest_name))};
        }
    }
    if (out.source.empty()) return bad_job_data{"data.source: missing"};
    return out;
}

std::string to_json(const job_data& data) {
    std::string out = R"({"source":)";
    append_json_string(out, data.source);
    out += R"(,"filters":)" + data.filters;
    const auto add = [&out](std::string_view name, const std::string& value) {
        if (value.empty()) return;
        out += fmt::format(R"(,"{}":)", name);
        append_json_string(out, value);
    };
    add("request_id", data.request_id);
    add("owner", data.owner);
    if (data.is_unmetered) out += R"(,"unmetered":true)";
    add("crawl", data.crawl);
    if (data.depth > 0) out += fmt::format(R"(,"depth":{})", data.depth);
    if (!data.report.empty()) out += R"(,"report":)" + data.report;
    return out + '}';
}

} // namespace tiktrend::worker
