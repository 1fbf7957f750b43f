#include "job_data.hpp"

#include <fmt/format.h>
#include <simdjson.h>

namespace tiktrend::worker {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t longest_name = 200;

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
        if (name == "source" || name == "request_id" || name == "owner") {
            auto wrong = read_text(name, value,
                                   name == "source"  ? out.source
                                   : name == "owner" ? out.owner
                                                     : out.request_id);
            if (!wrong.empty()) return bad_job_data{std::move(wrong)};
        } else if (name == "filters") {
            if (!value.is_object() && !value.is_null())
                return bad_job_data{"data.filters: expected an object"};
            out.filters = value.is_null() ? "{}" : simdjson::minify(value);
        } else {
            return bad_job_data{
                fmt::format("data.{}: unknown member; expected source, filters, request_id and owner",
                            name.substr(0, longest_name))};
        }
    }
    if (out.source.empty()) return bad_job_data{"data.source: missing"};
    return out;
}

} // namespace tiktrend::worker
