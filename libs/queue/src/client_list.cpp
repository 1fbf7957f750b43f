#include "client_list.hpp"

#include <charconv>

namespace tiktrend::queue {
namespace {

std::string_view next_part(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const auto part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

std::int64_t number(const client_info& c, std::string_view field) {
    std::int64_t n = 0;
    if (const auto found = c.fields.find(field); found != c.fields.end())
        std::from_chars(found->second.data(), found->second.data() + found->second.size(), n);
    return n;
}

} // namespace

std::vector<client_info> read_client_list(std::string_view text, std::string_view exact,
                                          std::string_view prefix) {
    std::vector<client_info> out;
    while (!text.empty()) {
        auto line = next_part(text, '\n');
        if (line.ends_with('\r')) line.remove_suffix(1);
        client_info c;
        while (!line.empty()) {
            auto field = next_part(line, ' ');
            const auto key = next_part(field, '=');
            if (!key.empty()) c.fields.emplace(key, field);
        }
        const auto name = c.fields.find("name");
        if (name == c.fields.end()) continue;
        c.raw_name = name->second;
        const bool has_own_name = !prefix.empty() && c.raw_name.starts_with(prefix);
        if (c.raw_name != exact && !has_own_name) continue;
        if (has_own_name) c.name = c.raw_name.substr(prefix.size());
        c.address = c.fields["addr"];
        c.age_s = number(c, "age");
        c.idle_s = number(c, "idle");
        out.push_back(std::move(c));
    }
    return out;
}

} // namespace tiktrend::queue
