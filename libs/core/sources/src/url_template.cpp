#include "url_template.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

bool is_host_character(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/// A colon in the midst of a host would turn what follows into a port or, for some parsers, into a path.
bool may_stand_in_host(std::string_view value, bool is_at_end) noexcept {
    return !value.empty() && std::all_of(value.begin(), value.end(), [&](char c) {
        return is_host_character(c) || (is_at_end && (c == ':' || c == '[' || c == ']'));
    });
}

const input_field* find_input(const template_names& names, std::string_view name) {
    for (const auto& i : *names.inputs)
        if (i.name == name) return &i;
    return nullptr;
}

} // namespace

result<url_template, std::string> url_template::compile(std::string_view text, const template_names& names) {
    auto compiled = text_template::compile(text, names);
    if (!compiled) return compiled.error();
    url_template out;
    out.text_ = std::move(*compiled);
    const auto& pieces = out.text_.pieces();
    if (pieces.empty()) return std::string{"is empty: expected a URL"};

    const auto& first = pieces.front();
    auto here = place::host;
    std::size_t skip = 0; // bytes of the first literal that are scheme and slashes
    if (first.is_variable()) {
        const auto* input =
            first.type == template_piece::kind::input ? find_input(names, first.text) : nullptr;
        const bool is_link =
            first.type == template_piece::kind::row || first.type == template_piece::kind::response_url;
        if (!is_link &&
            (input == nullptr || (input->type != input_type::url && input->type != input_type::origin)))
            return std::string{"begins with a variable that is no input of type url or origin"};
        if (!first.filters.empty()) return std::string{"the variable that begins a URL takes no filter"};
    } else if (first.text.starts_with("https://")) {
        skip = 8;
    } else if (first.text.starts_with("http://")) {
        skip = 7;
    } else if (names.has_row && first.text.starts_with('/') && !first.text.starts_with("//")) {
        here = place::path; // relative to the page
    } else {
        return std::string{"expected a URL that begins with https://, http:// or a variable"};
    }

    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const auto& piece = pieces[i];
        if (piece.is_variable()) {
            if (piece.type == template_piece::kind::input && !names.has_row) {
                const auto* input = find_input(names, piece.text);
                if (input->optional && !input->default_value)
                    return fmt::format("input.{} is optional: a URL needs a value", piece.text);
            }
            if (i == 0) {
                out.places_.push_back(place::whole);
                here = place::path;
                continue;
            }
            if (here == place::host && piece.type == template_piece::kind::secret)
                return std::string{"a secret may not be part of the host"};
            const bool is_host_end = i + 1 == pieces.size() ||
                                     (!pieces[i + 1].is_variable() && (pieces[i + 1].text.starts_with('/') ||
                                                                       pieces[i + 1].text.starts_with('?')));
            out.places_.push_back(here == place::host && is_host_end ? place::host_end : here);
            continue;
        }
        auto literal = std::string_view{piece.text};
        if (i == 0) literal.remove_prefix(skip);
        if (i == 1 && first.is_variable() && !literal.starts_with('/') && !literal.starts_with('?'))
            return std::string{"expected \"/\" or \"?\" after the variable that begins the URL"};
        if (piece.text.find_first_of(" \t\r\n\\#") != std::string::npos)
            return std::string{"holds a blank, a backslash or a fragment"};
        if (here == place::host &&
            literal.substr(0, literal.find_first_of("/?")).find('@') != std::string_view::npos)
            return std::string{"holds user information"};
        if (here == place::host && literal.find_first_of("/?") != std::string_view::npos) here = place::path;
        if (here == place::path && literal.find('?') != std::string_view::npos) here = place::query;
        out.places_.push_back(place::whole); // unused for literals
    }
    return out;
}

url_template::failure url_template::render(const template_values& values, rendered& out,
                                           std::string* problem) const {
    const auto& pieces = text_.pieces();
    const bool hides = has_secret();
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const auto& piece = pieces[i];
        auto value = value_of(piece, values);
        if (!value) {
            if (problem != nullptr) *problem = piece.text;
            return failure::no_value;
        }
        const auto from = out.url.size();
        const bool is_encoded =
            piece.has_filter(template_filter::path_segment) || piece.has_filter(template_filter::query_value);
        const bool is_host = places_[i] == place::host || places_[i] == place::host_end;
        if (!piece.is_variable() || places_[i] == place::whole || (is_encoded && !is_host)) {
            out.url += *value;
        } else if (is_host) {
            if (!may_stand_in_host(*value, places_[i] == place::host_end)) {
                if (problem != nullptr) *problem = piece.text;
                return failure::bad_value;
            }
            out.url += *value;
        } else if (places_[i] == place::path) {
            if (*value == "." || *value == "..") {
                out.url += *value == "." ? "%2E" : "%2E%2E";
            } else {
                append_percent_encoded(out.url, *value, "!$'()*,:@");
            }
        } else {
            append_percent_encoded(out.url, *value, "!$'()*,:@/?");
        }
        if (hides) {
            if (piece.type == template_piece::kind::secret)
                out.display += "***";
            else
                out.display.append(out.url, from);
        }
    }
    return failure::none;
}

} // namespace tiktrend::sources
