#include "input_checks.hpp"

#include "html/selector.hpp"
#include "json_strings.hpp"
#include "pattern.hpp"
#include "values/currency.hpp"
#include "values/web_address.hpp"
#include "yaml_tree.hpp"

#include <tiktrend/base/json_text.hpp>

#include <boost/url/parse.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

using checked = result<std::string, input_problem>;

input_problem problem(std::string msg, std::string type) {
    return {std::move(msg), std::move(type)};
}

std::string lower(std::string_view text) {
    std::string out{text};
    for (auto& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

std::int64_t characters_of(std::string_view text) noexcept {
    return std::count_if(text.begin(), text.end(),
                         [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// Labels of letters, digits and hyphens (underscores occur in the wild), at most 63 bytes each and 253 in
/// all.
bool is_host_name(std::string_view host) noexcept {
    if (host.empty() || host.size() > 253) return false;
    while (true) {
        const auto dot = std::min(host.find('.'), host.size());
        const auto label = host.substr(0, dot);
        const bool is_good =
            !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
            std::all_of(label.begin(), label.end(), [](char c) {
                return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
            });
        if (!is_good) return false;
        if (dot == host.size()) return true;
        host.remove_prefix(dot + 1);
    }
}

struct host_and_port {
    std::string host; ///< lower case, without the dot at the end, with brackets for IPv6
    std::string port; ///< empty: none
};

bool is_plain(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

/// "shop.example", "shop.example:8080", "127.0.0.1:80", "[::1]:80" and nothing else.
std::optional<host_and_port> parse_host(std::string_view text) {
    const auto whole = "http://" + lower(text); // `parsed` looks into it
    // Of these bytes alone a URL can only have a name or an IPv4 address, which is written as a name may be.
    const auto authority = std::string_view{whole}.substr(7);
    const auto name = authority.substr(0, authority.find(':'));
    const auto port = authority.substr(std::min(name.size() + 1, authority.size()));
    if (std::all_of(name.begin(), name.end(), is_plain) &&
        std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        host_and_port out{std::string{name}, std::string{port}};
        if (out.host.ends_with('.')) out.host.pop_back();
        if (!has_sound_authority(whole) || !is_host_name(out.host)) return std::nullopt;
        return out;
    }
    const auto parsed = boost::urls::parse_uri(whole);
    if (!parsed.has_value() || parsed->has_userinfo() || !parsed->encoded_path().empty() ||
        parsed->has_query() || parsed->has_fragment())
        return std::nullopt;
    host_and_port out{std::string{parsed->encoded_host()}, std::string{parsed->port()}};
    if (!has_sound_authority(whole)) return std::nullopt;
    if (parsed->host_type() == boost::urls::host_type::name) {
        if (out.host.ends_with('.')) out.host.pop_back();
        if (!is_host_name(out.host)) return std::nullopt;
    } else if (parsed->host_type() != boost::urls::host_type::ipv4 &&
               parsed->host_type() != boost::urls::host_type::ipv6) {
        return std::nullopt;
    }
    return out;
}

checked check_hosts(const input_field& field, std::string_view host, std::string text) {
    if (!is_host_allowed(field.hosts, host))
        return problem(fmt::format("Host \"{}\" is not one of {}", host, fmt::join(field.hosts, ", ")),
                       "host_not_allowed");
    return text;
}

checked check_host(const input_field& field, std::string_view text) {
    const auto host = parse_host(text);
    if (!host)
        return problem("Input should be a host name with an optional port, like \"shop.example\" or "
                       "\"shop.example:8443\"",
                       "host_parsing");
    return check_hosts(field, host->host,
                       host->port.empty() ? host->host : fmt::format("{}:{}", host->host, host->port));
}

checked check_origin(const input_field& field, std::string_view text) {
    const auto bad = [] {
        return problem("Input should be http:// or https:// and a host with an optional port, like "
                       "\"https://shop.example\"",
                       "origin_parsing");
    };
    const auto colon = text.find("://");
    if (colon == std::string_view::npos) return bad();
    const auto scheme = lower(text.substr(0, colon));
    if (scheme != "http" && scheme != "https") return bad();
    auto rest = text.substr(colon + 3);
    if (rest.ends_with('/')) rest.remove_suffix(1);
    const auto host = parse_host(rest);
    if (!host) return bad();
    const bool is_default_port = host->port.empty() || host->port == (scheme == "http" ? "80" : "443");
    auto origin = scheme + "://" + host->host;
    if (!is_default_port) origin.append(1, ':').append(host->port);
    return check_hosts(field, host->host, std::move(origin));
}

checked check_url(const input_field& field, std::string_view text) {
    const auto url = page_address{""}.resolve(text);
    if (!url) return problem(fmt::format("Input {}", url.error().reason), "url_parsing");
    const auto without_fragment = url->substr(0, url->find('#'));
    return check_hosts(field,
                       lower(std::string_view{boost::urls::parse_uri(without_fragment)->encoded_host()}),
                       without_fragment);
}

checked check_string(const input_field& field, std::string_view text) {
    const auto length = characters_of(text);
    if (length < field.min)
        return problem(fmt::format("String should have at least {} character(s)", field.min),
                       "string_too_short");
    if (length > field.max)
        return problem(fmt::format("String should have at most {} characters", field.max), "string_too_long");
    if (has_control_characters(text))
        return problem("String should have no control characters", "string_control_characters");
    if (field.matches && !field.matches->is_found_in(text))
        return problem(fmt::format("String should match pattern '{}'", field.matches->text()),
                       "string_pattern_mismatch");
    return std::string{text};
}

checked check_integer(const input_field& field, std::string_view text) {
    const auto value = to_integer(text);
    if (!value) return problem("Input should be a valid integer", "int_type");
    if (*value < field.min)
        return problem(fmt::format("Input should be greater than or equal to {}", field.min),
                       "greater_than_equal");
    if (*value > field.max)
        return problem(fmt::format("Input should be less than or equal to {}", field.max), "less_than_equal");
    return std::to_string(*value);
}

checked check_type(const input_field& field, std::string_view text) {
    switch (field.type) {
    case input_type::string:
        return check_string(field, text);
    case input_type::integer:
        return check_integer(field, text);
    case input_type::boolean:
        if (text == "true" || text == "false") return std::string{text};
        return problem("Input should be a valid boolean", "bool_type");
    case input_type::currency: {
        auto code = currency_from_text(text);
        if (!code) return problem("Input should be an ISO 4217 currency code, like \"EUR\"", "currency_code");
        return std::move(*code);
    }
    case input_type::host:
        return check_host(field, text);
    case input_type::origin:
        return check_origin(field, text);
    case input_type::url:
        return check_url(field, text);
    case input_type::css:
        if (auto compiled = compile_css(text); !compiled)
            return problem("Input should be a CSS selector: " + compiled.error(), "css_selector");
        return std::string{text};
    }
    return problem("Input is of an unknown type", "type_error");
}

void append_member(std::string& out, std::string_view key, std::string_view text) {
    out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_string(out, text);
}

void append_member(std::string& out, std::string_view key, std::int64_t value) {
    out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_number(out, value);
}

bool is_bare(input_type type) noexcept {
    return type == input_type::integer || type == input_type::boolean;
}

/// A value as it stands in JSON: numbers and booleans bare, the others quoted.
void append_value(std::string& out, input_type type, std::string_view text) {
    if (is_bare(type))
        out += text;
    else
        append_json_string(out, text);
}

void append_property(std::string& out, const input_field& field) {
    append_json_string(out, field.name);
    const auto* type = field.type == input_type::integer   ? "integer"
                       : field.type == input_type::boolean ? "boolean"
                                                           : "string";
    out += fmt::format(":{{\"type\":\"{}\"", type);
    if (!field.about.empty()) append_member(out, "description", field.about);
    switch (field.type) {
    case input_type::string:
        append_member(out, "minLength", field.min);
        append_member(out, "maxLength", field.max);
        if (field.matches) append_member(out, "pattern", field.matches->text());
        break;
    case input_type::integer:
        append_member(out, "minimum", field.min);
        append_member(out, "maximum", field.max);
        break;
    case input_type::currency:
        append_member(out, "pattern", "^[A-Za-z]{3}$");
        break;
    case input_type::host:
        append_member(out, "pattern", "^[^/@#?\\s]+$");
        break;
    case input_type::origin:
        append_member(out, "pattern", "^https?://[^/@#?\\s]+/?$");
        break;
    case input_type::url:
        append_member(out, "format", "uri");
        break;
    case input_type::css:
        append_member(out, "maxLength", std::int64_t{max_selector_bytes});
        break;
    case input_type::boolean:
        break;
    }
    if (!field.choices.empty()) {
        out += ",\"enum\":[";
        for (std::size_t i = 0; i < field.choices.size(); ++i) {
            if (i > 0) out += ',';
            append_value(out, field.type, field.choices[i]);
        }
        out += ']';
    }
    if (field.default_value) {
        out += ",\"default\":";
        append_value(out, field.type, *field.default_value);
    }
    out += '}';
}

} // namespace

result<std::string, input_problem> check_input_text(const input_field& field, std::string_view text) {
    auto value = check_type(field, text);
    if (!value || field.choices.empty()) return value;
    if (std::find(field.choices.begin(), field.choices.end(), *value) == field.choices.end())
        return problem(fmt::format("Input should be one of {}", fmt::join(field.choices, ", ")), "enum");
    return value;
}

std::string input_schema_of(const std::vector<input_field>& inputs) {
    std::string out =
        R"({"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{)";
    std::string required;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (i > 0) out += ',';
        append_property(out, inputs[i]);
        if (!inputs[i].required()) continue;
        if (!required.empty()) required += ',';
        append_json_string(required, inputs[i].name);
    }
    out += '}';
    if (!required.empty()) out += ",\"required\":[" + required + "]";
    out += ",\"additionalProperties\":false}";
    return out;
}

} // namespace tiktrend::sources
