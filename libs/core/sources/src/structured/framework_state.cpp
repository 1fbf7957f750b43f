#include "structured/framework_state.hpp"

#include "json_document.hpp"
#include "structured/lenient_json.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>
#include <charconv>
#include <map>

namespace tiktrend::sources {
namespace {

constexpr auto none = std::string_view::npos;
constexpr std::size_t most_out = 8 << 20;    ///< bytes of one state
constexpr std::size_t most_values = 200'000; ///< written for one state: places may be shared
constexpr int most_levels = 60;
constexpr std::size_t most_parameters = 5'000;
constexpr std::size_t most_pieces = 2'000;

std::optional<std::int64_t> whole(json_node node) noexcept {
    if (!node.is(json_kind::number)) return std::nullopt;
    const auto text = node.raw();
    std::int64_t out = 0;
    const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (bad != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return out;
}

class place_reader {
public:
    explicit place_reader(json_node list) {
        list.each_value([this](json_node n) {
            places_.push_back(n);
            return places_.size() < most_values;
        });
    }

    std::optional<std::string> run() {
        value(0, 0);
        return is_over_ ? std::nullopt : std::optional{std::move(out_)};
    }

private:
    /// Places of a node that is a list of them; a tag in front is passed over.
    void list(json_node node, int level) {
        const auto tag = node.element(0);
        if (tag.is(json_kind::string)) {
            const auto inner = node.element(1);
            if (const auto at = whole(inner)) return value(*at, level + 1);
            if (inner.is(json_kind::string)) return inner.append_to(out_); // ["Date","2024-05-06"]
            out_ += "null";
            return;
        }
        out_ += '[';
        bool is_first = true;
        node.each_value([&](json_node n) {
            if (!std::exchange(is_first, false)) out_ += ',';
            place(n, level);
            return !is_over_;
        });
        out_ += ']';
    }

    void place(json_node n, int level) {
        if (const auto at = whole(n))
            value(*at, level + 1);
        else
            out_ += "null";
    }

    /// Negative places are undefined, NaN and the like.
    void value(std::int64_t at, int level) {
        if (at < 0 || static_cast<std::size_t>(at) >= places_.size() || level > most_levels) {
            out_ += "null";
            return;
        }
        if (++values_ > most_values || out_.size() > most_out) {
            is_over_ = true;
            out_ += "null";
            return;
        }
        const auto node = places_[static_cast<std::size_t>(at)];
        if (node.is(json_kind::array)) return list(node, level);
        if (!node.is(json_kind::object)) return node.append_to(out_);
        out_ += '{';
        bool is_first = true;
        node.each_member([&](std::string_view key, json_node n) {
            if (!std::exchange(is_first, false)) out_ += ',';
            append_json_string(out_, key);
            out_ += ':';
            place(n, level);
            return !is_over_;
        });
        out_ += '}';
    }

    std::vector<json_node> places_;
    std::string out_;
    std::size_t values_ = 0;
    bool is_over_ = false;
};

bool is_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
}

/// `text` from its first character that is no blank.
std::string_view skip_blanks(std::string_view text) noexcept {
    const auto from = text.find_first_not_of(" \t\r\n");
    return from == none ? std::string_view{} : text.substr(from);
}

std::vector<std::string_view> names_in(std::string_view list) {
    std::vector<std::string_view> out;
    for (std::size_t at = 0; at < list.size() && out.size() < most_parameters;) {
        if (!is_word(list[at])) {
            ++at;
            continue;
        }
        const auto from = at;
        while (at < list.size() && is_word(list[at]))
            ++at;
        out.push_back(list.substr(from, at - from));
    }
    return out;
}

/// The end of the call's arguments: the parenthesis that closes the one in front of `text`.
std::size_t end_of_arguments(std::string_view text) noexcept {
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == ')') return at;
        if (c == '(') { // a call among the arguments: none that has a value for us
            return none;
        }
        if (c == '"' || c == '\'' || c == '`' || c == '{' || c == '[') {
            const auto end = end_of_value(text, at);
            if (!end) return none;
            at = *end;
            continue;
        }
        ++at;
    }
    return none;
}

/// Behind the string that begins at `at`.
std::size_t behind_string(std::string_view text, std::size_t at) noexcept {
    const char quote = text[at++];
    while (at < text.size() && text[at] != quote)
        at += text[at] == '\\' ? 2 : 1;
    return std::min(at + 1, text.size());
}

/// `body` with its parameters replaced by their values. A word in front of a colon is a name.
std::optional<std::string> with_values(std::string_view body,
                                       const std::map<std::string_view, std::string>& values) {
    std::string out;
    for (std::size_t at = 0; at < body.size();) {
        if (out.size() > most_out) return std::nullopt;
        const char c = body[at];
        if (c == '"' || c == '\'' || c == '`') {
            const auto end = behind_string(body, at);
            out += body.substr(at, end - at);
            at = end;
            continue;
        }
        if (!is_word(c)) {
            out += c;
            ++at;
            continue;
        }
        const auto from = at;
        while (at < body.size() && is_word(body[at]))
            ++at;
        const auto word = body.substr(from, at - from);
        const auto found = values.find(word);
        const bool is_name = skip_blanks(body.substr(at)).starts_with(':');
        out += is_name || found == values.end() ? word : std::string_view{found->second};
    }
    return out;
}

} // namespace

std::optional<std::string> state_of_places(std::string_view json) {
    json_document document;
    if (document.parse(json) != json_status::ok) return std::nullopt;
    const auto list = document.root();
    if (!list.is(json_kind::array) || list.size() < 2 || list.element(0).is_scalar()) return std::nullopt;
    return place_reader{list}.run();
}

std::optional<std::string> state_of_function(std::string_view script) {
    const auto name = script.find("__NUXT__");
    if (name == none) return std::nullopt;
    auto text = skip_blanks(script.substr(name + std::string_view{"__NUXT__"}.size()));
    if (!text.starts_with('=')) return std::nullopt;
    text = skip_blanks(text.substr(1));
    if (text.starts_with('(')) text = skip_blanks(text.substr(1));
    if (!text.starts_with("function")) return std::nullopt;
    const auto open = text.find('(');
    const auto close = text.find(')');
    if (open == none || close == none || close < open) return std::nullopt;
    const auto names = names_in(text.substr(open + 1, close - open - 1));

    text = skip_blanks(text.substr(close + 1));
    const auto end_of_body = end_of_value(text, 0);
    if (!text.starts_with('{') || !end_of_body) return std::nullopt;
    const auto body = text.substr(0, *end_of_body);
    const auto result = body.rfind("return");
    const auto first = body.find("return");
    if (first == none) return std::nullopt;
    auto returned = skip_blanks(body.substr(first + std::string_view{"return"}.size()));
    if (result != first && !returned.starts_with('{') && !returned.starts_with('['))
        returned = skip_blanks(body.substr(result + std::string_view{"return"}.size()));
    const auto end = returned.empty() ? std::nullopt : end_of_value(returned, 0);
    if (!end) return std::nullopt;

    text = skip_blanks(text.substr(*end_of_body));
    if (text.starts_with(')')) text = skip_blanks(text.substr(1));
    if (!text.starts_with('(')) return std::nullopt;
    text.remove_prefix(1);
    const auto end_of_list = end_of_arguments(text);
    if (end_of_list == none) return std::nullopt;
    json_document arguments;
    std::string list{"["};
    list = mend_json(list.append(text.substr(0, end_of_list)).append("]"));
    if (arguments.parse(list) != json_status::ok) return std::nullopt;
    std::map<std::string_view, std::string> values;
    std::size_t n = 0;
    arguments.root().each_value([&](json_node value) {
        if (n >= names.size()) return false;
        value.append_to(values[names[n++]]);
        return true;
    });
    const auto filled = with_values(returned.substr(0, *end), values);
    return filled ? std::optional{mend_json(*filled)} : std::nullopt;
}

std::vector<std::string> states_of_pieces(const std::vector<script_block>& scripts) {
    std::string rows;
    std::size_t pieces = 0;
    for (const auto& s : scripts) {
        if (rows.size() > most_out || pieces >= most_pieces) break;
        if (s.text.find("__next_f") == none) continue;
        const auto pushed = assigned_json(s.text, "self.__next_f.push");
        json_document piece;
        if (!pushed || piece.parse(*pushed) != json_status::ok) continue;
        const auto text = piece.root().element(1);
        std::string scratch;
        if (!text.is(json_kind::string)) continue;
        rows += text.text(scratch);
        ++pieces;
    }
    std::vector<std::string> out;
    for (std::string_view rest = rows; !rest.empty() && out.size() < most_pieces;) {
        const auto row = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(row.size() + 1, rest.size()));
        const auto colon = row.substr(0, 12).find(':');
        if (colon == none || row.size() < colon + 20) continue;
        const auto value = row.substr(colon + 1);
        if (value.front() == '[' || value.front() == '{') out.emplace_back(value);
    }
    return out;
}

} // namespace tiktrend::sources
