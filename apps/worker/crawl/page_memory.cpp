#include "page_memory.hpp"

#include <fmt/format.h>

namespace tiktrend::worker {
namespace {

constexpr std::size_t max_validator_bytes = 1024; ///< larger ones are not worth a column

/// "<format>:<definition version>:<hash of inputs>:", the part of a digest that must be the same for a 304 to
/// be of use.
std::string reading_of(const sources::definition& source, const sources::input_values& inputs) {
    return fmt::format("1:{}.{}:{:016x}:", source.id, source.version, fnv1a(inputs.json()));
}

} // namespace

std::uint64_t fnv1a(std::string_view bytes) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 0x100000001b3U;
    }
    return hash;
}

std::optional<page_validators> validators_of(const catalog::cached_page& cached,
                                             const sources::definition& source,
                                             const sources::input_values& inputs) {
    if (!cached.digest.starts_with(reading_of(source, inputs))) return {};
    page_validators out;
    out.etag = cached.etag.value_or("");
    out.last_modified = cached.last_modified.value_or("");
    if (out.etag.empty() && out.last_modified.empty()) return {};
    out.found = cached.found;
    out.had_next = cached.digest.ends_with(":more");
    return out;
}

std::optional<catalog::cached_page> remember(const std::string& url, const fetch::response& response,
                                             const sources::definition& source,
                                             const sources::input_values& inputs, std::int64_t now_ms) {
    const auto etag = response.header_value("etag");
    const auto last_modified = response.header_value("last-modified");
    const auto is_usable = [](std::string_view v) { return !v.empty() && v.size() <= max_validator_bytes; };
    if (!is_usable(etag) && !is_usable(last_modified)) return {};
    catalog::cached_page out;
    out.url = url;
    if (is_usable(etag)) out.etag = etag;
    if (is_usable(last_modified)) out.last_modified = last_modified;
    out.digest = fmt::format("{}{:016x}", reading_of(source, inputs), fnv1a(response.body));
    out.fetched_at_ms = now_ms;
    return out;
}

void complete(catalog::cached_page& memory, std::int64_t found, bool has_next) {
    memory.found = found;
    memory.digest += has_next ? ":more" : ":last";
}

} // namespace tiktrend::worker
