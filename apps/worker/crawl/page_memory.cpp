#include "page_memory.hpp"

#include <tiktrend/catalog/digest.hpp>

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

constexpr std::size_t max_validator_bytes = 1024; ///< larger ones are not worth a column
constexpr std::size_t digest_digits = 16;

/// "<format>:<definition id>.<version>:<hash of inputs>:", the part of a stored digest that must be the same
/// for an unchanged page to be of use. Behind it: the body's digest and ":more" or ":last".
std::string reading_of(const sources::definition& source, const sources::input_values& inputs) {
    return fmt::format("2:{}.{}:{:016x}:", source.id, source.version, catalog::text_digest(inputs.json()));
}

} // namespace

std::optional<page_validators> validators_of(const catalog::cached_page& cached,
                                             const sources::definition& source,
                                             const sources::input_values& inputs) {
    const auto reading = reading_of(source, inputs);
    if (!cached.digest.starts_with(reading)) return {};
    page_validators out;
    out.etag = cached.etag.value_or("");
    out.last_modified = cached.last_modified.value_or("");
    out.digest = cached.digest.substr(reading.size(), digest_digits);
    out.found = cached.found;
    out.had_next = cached.digest.ends_with(":more");
    return out;
}

catalog::cached_page remember(const std::string& url, const fetch::response& response,
                              const sources::definition& source, const sources::input_values& inputs,
                              std::int64_t now_ms) {
    const auto etag = response.header_value("etag");
    const auto last_modified = response.header_value("last-modified");
    const auto is_usable = [](std::string_view v) { return !v.empty() && v.size() <= max_validator_bytes; };
    catalog::cached_page out;
    out.url = url;
    if (is_usable(etag)) out.etag = etag;
    if (is_usable(last_modified)) out.last_modified = last_modified;
    out.digest = fmt::format("{}{:016x}", reading_of(source, inputs), catalog::text_digest(response.body));
    out.fetched_at_ms = now_ms;
    return out;
}

bool is_same_body(const catalog::cached_page& memory, const page_validators& before) noexcept {
    return !before.digest.empty() && memory.digest.ends_with(before.digest);
}

void complete(catalog::cached_page& memory, std::int64_t found, bool has_next) {
    memory.found = found;
    memory.digest += has_next ? ":more" : ":last";
}

} // namespace tiktrend::worker
