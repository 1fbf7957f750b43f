#include "json_document.hpp"
#include "plan.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/sources/page.hpp>
#include <tiktrend/sources/request.hpp>

#include <fmt/format.h>

#include <charconv>

namespace tiktrend::sources {

page_state first_page(const definition& source) {
    page_state out;
    out.number = source.plan->pages.start;
    return out;
}

bool goes_on_unread(const definition& source) noexcept {
    using kind = paging_rule::kind;
    const auto by = source.plan->pages.by;
    return by == kind::none || by == kind::number || by == kind::offset;
}

std::string page_state::to_json() const {
    auto out = fmt::format(R"({{"number":{},"index":{},"items":{},"pages":")", number, index, items);
    out.reserve(out.size() + page_digests.size() * 16 + cursor.size() + url.size() + 32);
    for (const auto digest : page_digests) // there may be thousands, and this runs for every page
        for (int shift = 60; shift >= 0; shift -= 4)
            out += "0123456789abcdef"[digest >> shift & 15];
    out += '"';
    for (const auto& [name, text] : {std::pair{"cursor", &cursor}, std::pair{"url", &url}})
        if (!text->empty()) {
            out += fmt::format(",\"{}\":", name);
            append_json_string(out, *text);
        }
    return out + '}';
}

std::optional<page_state> page_state::from_json(std::string_view text) {
    json_document document;
    if (document.parse(text) != json_status::ok) return std::nullopt;
    const auto root = document.root();
    page_state out;
    const auto read = [&](std::string_view key, std::int64_t& value) {
        const auto node = root.member(key);
        const auto number = node.is(json_kind::number) ? to_integer(node.raw()) : std::nullopt;
        if (!number || *number < 0) return false;
        value = *number;
        return true;
    };
    if (!read("number", out.number) || !read("index", out.index) || !read("items", out.items))
        return std::nullopt;
    std::string scratch;
    for (const auto& [name, into] : {std::pair{"cursor", &out.cursor}, std::pair{"url", &out.url}}) {
        const auto node = root.member(name);
        if (node.exists() && !node.is(json_kind::string)) return std::nullopt;
        *into = node.text(scratch);
    }
    const auto pages = root.member("pages");
    if (!pages.is(json_kind::string) || pages.raw().size() % 16 != 0) return std::nullopt;
    for (auto hex = pages.raw(); !hex.empty(); hex.remove_prefix(16)) {
        std::uint64_t digest = 0;
        const auto [end, failure] = std::from_chars(hex.data(), hex.data() + 16, digest, 16);
        if (failure != std::errc{} || end != hex.data() + 16) return std::nullopt;
        out.page_digests.push_back(digest);
    }
    return out;
}

} // namespace tiktrend::sources
