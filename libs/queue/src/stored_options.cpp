#include "stored_options.hpp"

#include <simdjson.h>

#include <limits>

namespace tiktrend::queue {
namespace {

using simdjson::dom::element;

std::optional<std::int64_t> integer(element value) {
    if (std::int64_t n = 0; value.get(n) == simdjson::SUCCESS) return n;
    // Other clients write large or computed numbers as 1e3 or 1.5.
    if (double d = 0; value.get(d) == simdjson::SUCCESS && d > -9e15 && d < 9e15)
        return static_cast<std::int64_t>(d);
    return {};
}

std::optional<std::int32_t> small(element value) {
    const auto n = integer(value);
    if (!n || *n < 0 || *n > std::numeric_limits<std::int32_t>::max()) return {};
    return static_cast<std::int32_t>(*n);
}

/// true, false, a count, or {count, age, limit}. A negative count keeps all.
std::optional<keep_policy> keep(element value) {
    if (bool all_or_none = false; value.get(all_or_none) == simdjson::SUCCESS)
        return all_or_none ? keep_policy::none() : keep_policy::all();
    if (const auto n = integer(value)) return *n < 0 ? keep_policy::all() : keep_policy::newest(*n);
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return {};
    keep_policy out;
    for (auto [key, member] : object) {
        const auto n = integer(member);
        if (!n || *n < 0) continue;
        if (key == "count") out.count = *n;
        if (key == "age") out.age = std::chrono::seconds{*n};
        if (key == "limit" && *n > 0) out.limit = *n;
    }
    return out;
}

std::optional<backoff_options> backoff(element value) {
    backoff_options out;
    if (const auto n = integer(value)) {
        out.delay = std::chrono::milliseconds{*n};
        return out;
    }
    simdjson::dom::object object;
    if (value.get(object) != simdjson::SUCCESS) return {};
    for (auto [key, member] : object) {
        if (key == "type") {
            if (std::string_view type; member.get(type) == simdjson::SUCCESS) out.type = type;
        } else if (key == "delay") {
            if (const auto n = integer(member)) out.delay = std::chrono::milliseconds{*n};
        } else if (key == "jitter") {
            if (double share = 0; member.get(share) == simdjson::SUCCESS)
                out.jitter = std::clamp(share, 0.0, 1.0);
        }
    }
    return out;
}

} // namespace

struct options_reader::parser {
    simdjson::dom::parser dom;
};

options_reader::options_reader() : parser_{std::make_unique<parser>()} {}
options_reader::~options_reader() = default;

const stored_options& options_reader::read(const std::string& json) {
    if (json == text_) return options_;
    text_ = json;
    options_ = {};
    simdjson::dom::object object;
    if (parser_->dom.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS) return options_;
    for (auto [key, value] : object) {
        if (key == "attempts")
            options_.attempts = small(value).value_or(0);
        else if (key == "backoff")
            options_.backoff = backoff(value);
        else if (key == "removeOnComplete")
            options_.remove_on_complete = keep(value);
        else if (key == "removeOnFail")
            options_.remove_on_fail = keep(value);
        else if (key == "lifo")
            options_.lifo = value.is_bool() && bool{value};
        else if (key == "kl")
            options_.keep_logs = small(value);
        else if (key == "tm") {
            if (std::string_view tm; value.get(tm) == simdjson::SUCCESS) options_.telemetry_metadata = tm;
        } else if (key == "stackTraceLimit")
            options_.stack_trace_limit = small(value);
    }
    return options_;
}

struct json_checker::parser {
    simdjson::dom::parser dom;
};

json_checker::json_checker() : parser_{std::make_unique<parser>()} {}
json_checker::~json_checker() = default;

bool json_checker::is_json(std::string_view text) {
    const bool valid = parser_->dom.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
    // A parser keeps room for the largest text that it has seen; one large job must not cost memory for ever.
    if (parser_->dom.capacity() > (1U << 20)) parser_ = std::make_unique<parser>();
    return valid;
}

std::vector<std::string> json_checker::texts(std::string_view text) {
    std::vector<std::string> out;
    simdjson::dom::array array;
    if (text.empty() || parser_->dom.parse(text.data(), text.size()).get(array) != simdjson::SUCCESS)
        return out;
    for (auto item : array)
        if (std::string_view s; item.get(s) == simdjson::SUCCESS) out.emplace_back(s);
    return out;
}

} // namespace tiktrend::queue
