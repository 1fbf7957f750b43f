#include "text_template.hpp"

#include "glob.hpp"
#include "mapping_reader.hpp"
#include "values/web_address.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr std::array<std::pair<std::string_view, template_filter>, 5> filters{{
    {"trim", template_filter::trim},
    {"lower", template_filter::lower},
    {"upper", template_filter::upper},
    {"path_segment", template_filter::path_segment},
    {"query_value", template_filter::query_value},
}};

/// What may stand unencoded in a path segment and in a query value besides unreserved characters (RFC 3986
/// sections 3.3, 3.4), without '+', which many servers read as a blank in queries.
constexpr std::string_view segment_characters = "!$'()*,:@";
constexpr std::string_view query_characters = "!$'()*,:@/?";

bool is_unreserved(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

std::string with_filter(template_filter filter, std::string value) {
    const auto map_case = [&](char from, char to, int by) {
        for (auto& c : value)
            if (c >= from && c <= to) c = static_cast<char>(c + by);
    };
    std::string out;
    switch (filter) {
    case template_filter::trim:
        return std::string{trim_blanks(value)};
    case template_filter::lower:
        map_case('A', 'Z', 32);
        return value;
    case template_filter::upper:
        map_case('a', 'z', -32);
        return value;
    case template_filter::path_segment:
        // A segment of dots would climb when the URL is resolved.
        if (value == ".") return "%2E";
        if (value == "..") return "%2E%2E";
        append_percent_encoded(out, value, segment_characters);
        return out;
    case template_filter::query_value:
        append_percent_encoded(out, value, query_characters);
        return out;
    }
    return value;
}

std::string names_of(const template_names& names) {
    std::vector<std::string> out;
    if (names.inputs != nullptr)
        for (const auto& i : *names.inputs)
            out.push_back("input." + i.name);
    if (names.has_page) out.insert(out.end(), {"page.number", "page.offset", "page.index", "cursor"});
    if (names.secrets != nullptr)
        for (const auto& s : *names.secrets)
            out.push_back("secret." + s);
    if (names.has_row) out.emplace_back("row.<key>");
    if (names.has_response) out.emplace_back("response.url");
    return out.empty() ? "no variables here" : fmt::format("{}", fmt::join(out, ", "));
}

bool set_variable(template_piece& piece, std::string_view name, const template_names& names) {
    const auto dot = name.find('.');
    const auto scope = name.substr(0, dot);
    const auto rest = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
    piece.text = rest;
    if (scope == "input" && names.inputs != nullptr) {
        piece.type = template_piece::kind::input;
        return std::any_of(names.inputs->begin(), names.inputs->end(),
                           [&](const auto& i) { return i.name == rest; });
    }
    if (scope == "secret" && names.secrets != nullptr) {
        piece.type = template_piece::kind::secret;
        return std::find(names.secrets->begin(), names.secrets->end(), rest) != names.secrets->end();
    }
    if (scope == "page" && names.has_page) {
        piece.type = rest == "index" ? template_piece::kind::page_index : template_piece::kind::page_number;
        return rest == "number" || rest == "offset" || rest == "index";
    }
    if (name == "cursor" && names.has_page) {
        piece.type = template_piece::kind::cursor;
        return true;
    }
    if (scope == "response" && names.has_response) {
        piece.type = template_piece::kind::response_url;
        return rest == "url";
    }
    if (scope == "row" && names.has_row && !rest.empty()) {
        piece.type = template_piece::kind::row;
        for (std::size_t from = 0; from <= rest.size();) {
            const auto end = std::min(rest.find('.', from), rest.size());
            if (end == from) return false;
            path_step step;
            step.text = rest.substr(from, end - from);
            piece.row_path.steps.push_back(std::move(step));
            from = end + 1;
        }
        return true;
    }
    return false;
}

/// Reads what stands between the braces; a message if it is wrong.
std::optional<std::string> read_variable(std::string_view inside, const template_names& names,
                                         template_piece& piece) {
    auto end = std::min(inside.find('|'), inside.size());
    const auto name = trim_blanks(inside.substr(0, end));
    if (!set_variable(piece, name, names))
        return fmt::format("unknown variable \"{}\"; expected {}", excerpt(name), names_of(names));
    while (end < inside.size()) {
        const auto from = end + 1;
        end = std::min(inside.find('|', from), inside.size());
        const auto word = trim_blanks(inside.substr(from, end - from));
        const auto found =
            std::find_if(filters.begin(), filters.end(), [&](const auto& f) { return f.first == word; });
        if (found == filters.end())
            return fmt::format(
                "unknown filter \"{}\"; expected trim, lower, upper, path_segment, query_value",
                excerpt(word));
        piece.filters.push_back(found->second);
    }
    return std::nullopt;
}

} // namespace

bool template_piece::has_filter(template_filter f) const noexcept {
    return std::find(filters.begin(), filters.end(), f) != filters.end();
}

result<text_template, std::string> text_template::compile(std::string_view text,
                                                          const template_names& names) {
    text_template out;
    while (!text.empty()) {
        const auto open = std::min(text.find("{{"), text.size());
        if (open > 0) {
            template_piece literal;
            literal.text = text.substr(0, open);
            if (literal.text.find("}}") != std::string::npos)
                return std::string{"\"}}\" without \"{{\" before it"};
            if (literal.text.find("{%") != std::string::npos)
                return std::string{"templates only substitute: \"{%\" is not understood"};
            out.pieces_.push_back(std::move(literal));
        }
        text.remove_prefix(open);
        if (text.empty()) break;
        const auto close = text.find("}}");
        if (close == std::string_view::npos) return std::string{"\"{{\" without \"}}\" after it"};
        template_piece variable;
        if (auto problem = read_variable(text.substr(2, close - 2), names, variable)) return *problem;
        out.pieces_.push_back(std::move(variable));
        text.remove_prefix(close + 2);
    }
    return out;
}

bool text_template::is_literal() const noexcept {
    return std::none_of(pieces_.begin(), pieces_.end(), [](const auto& p) { return p.is_variable(); });
}

bool text_template::has_secret() const noexcept {
    return std::any_of(pieces_.begin(), pieces_.end(),
                       [](const auto& p) { return p.type == template_piece::kind::secret; });
}

std::optional<std::string_view> text_template::lone_input() const noexcept {
    if (pieces_.size() != 1 || pieces_.front().type != template_piece::kind::input) return std::nullopt;
    return pieces_.front().text;
}

bool text_template::render(const template_values& values, std::string& out) const {
    for (const auto& piece : pieces_) {
        if (!piece.is_variable()) {
            out += piece.text;
            continue;
        }
        const auto value = value_of(piece, values);
        if (!value) return false;
        out += *value;
    }
    return true;
}

std::optional<std::string> value_of(const template_piece& piece, const template_values& values) {
    std::string value;
    switch (piece.type) {
    case template_piece::kind::literal:
        return piece.text;
    case template_piece::kind::input: {
        const auto found = values.inputs != nullptr ? values.inputs->find(piece.text) : std::nullopt;
        if (!found) return std::nullopt;
        value = *found;
        break;
    }
    case template_piece::kind::secret: {
        if (values.secrets == nullptr) return std::nullopt;
        const auto found = values.secrets->find(piece.text);
        if (found == values.secrets->end() || found->second.empty()) return std::nullopt;
        value = found->second;
        break;
    }
    case template_piece::kind::page_number:
        value = std::to_string(values.page->number);
        break;
    case template_piece::kind::cursor:
        if (values.page->cursor.empty()) return std::nullopt; // the first page
        value = values.page->cursor;
        break;
    case template_piece::kind::page_index:
        value = std::to_string(values.page->index);
        break;
    case template_piece::kind::response_url:
        value = values.response_url;
        break;
    case template_piece::kind::row: {
        const auto node = first_at(values.row, piece.row_path);
        if (!node.exists() || !node.is_scalar() || node.kind() == json_kind::null) return std::nullopt;
        std::string scratch;
        const auto text = node.text(scratch);
        if (text.empty() || text.size() > page_address::max_bytes) return std::nullopt;
        value = text;
        break;
    }
    }
    for (const auto filter : piece.filters)
        value = with_filter(filter, std::move(value));
    return value;
}

void append_percent_encoded(std::string& out, std::string_view text, std::string_view also_allowed) {
    static constexpr std::string_view hex = "0123456789ABCDEF";
    for (const char c : text) {
        if (is_unreserved(c) || also_allowed.find(c) != std::string_view::npos) {
            out += c;
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out += '%';
        out += hex[byte >> 4];
        out += hex[byte & 15];
    }
}

} // namespace tiktrend::sources
