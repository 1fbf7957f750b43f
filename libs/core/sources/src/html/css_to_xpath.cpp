// CSS selectors (Selectors Level 4, the useful subset) as XPath 1.0. A recursive descent over the text; what
// it does not know it refuses.
#include "html/selector.hpp"
#include "json_strings.hpp"
#include "yaml_tree.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}
bool is_identifier(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || static_cast<signed char>(c) < 0;
}

std::string lower(std::string text) {
    for (auto& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return text;
}

/// a*n + b of :nth-child().
struct formula {
    long a = 0;
    long b = 0;
};

class translator {
public:
    explicit translator(std::string_view css) : rest_{css} {}

    std::optional<std::string> run(std::string& problem) {
        auto out = list("descendant::");
        if (problem_.empty() && !rest_.empty())
            fail(fmt::format("\"{}\" is not understood", excerpt(rest_, 40)));
        problem = problem_;
        return problem.empty() ? std::optional{std::move(out)} : std::nullopt;
    }

private:
    static constexpr int most_levels = 8;

    void fail(std::string why) {
        if (problem_.empty()) problem_ = std::move(why);
    }
    bool is_bad() const noexcept { return !problem_.empty(); }

    void skip_blanks() {
        while (!rest_.empty() && is_blank(rest_.front()))
            rest_.remove_prefix(1);
    }
    bool take(std::string_view text) {
        if (!rest_.starts_with(text)) return false;
        rest_.remove_prefix(text.size());
        return true;
    }

    std::string identifier() {
        std::string out;
        while (!rest_.empty()) {
            if (rest_.front() == '\\' && rest_.size() > 1) {
                out += rest_[1];
                rest_.remove_prefix(2);
            } else if (is_identifier(rest_.front())) {
                out += rest_.front();
                rest_.remove_prefix(1);
            } else {
                break;
            }
        }
        if (out.empty()) fail(fmt::format("a name is expected before \"{}\"", excerpt(rest_, 40)));
        return out;
    }

    std::string string_or_identifier() {
        skip_blanks();
        if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return identifier();
        const char quote = rest_.front();
        rest_.remove_prefix(1);
        std::string out;
        while (!rest_.empty() && rest_.front() != quote) {
            if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
            out += rest_.front();
            rest_.remove_prefix(1);
        }
        if (!take(std::string_view{&quote, 1})) fail("a quote is not closed");
        return out;
    }

    /// Selectors with commas between them; each begins on `axis`.
    std::string list(std::string_view axis) {
        if (++level_ > most_levels) fail("is nested too deeply");
        std::string out;
        do {
            skip_blanks();
            if (!out.empty()) out += " | ";
            out += complex(axis);
            skip_blanks();
        } while (!is_bad() && take(","));
        --level_;
        return out;
    }

    /// Compound selectors with combinators between them.
    std::string complex(std::string_view axis) {
        std::string out;
        std::string step_axis{axis};
        if (take(":scope")) {
            out = "self::*" + predicates("*");
        } else {
            if (const auto relative = combinator_axis(); !relative.empty()) step_axis = relative; // "> a"
            out = compound(step_axis);
        }
        while (!is_bad()) {
            const bool has_blank = !rest_.empty() && is_blank(rest_.front());
            skip_blanks();
            if (rest_.empty() || rest_.front() == ',' || rest_.front() == ')') break;
            auto next = combinator_axis();
            if (next.empty()) {
                if (!has_blank) {
                    fail(fmt::format("\"{}\" is not understood", excerpt(rest_, 40)));
                    break;
                }
                next = "descendant::";
            }
            out += '/' + compound(next);
        }
        return out;
    }

    std::string combinator_axis() {
        skip_blanks();
        std::string out;
        if (take(">"))
            out = "child::";
        else if (take("+"))
            out = "following-sibling::*[1]/self::";
        else if (take("~"))
            out = "following-sibling::";
        skip_blanks();
        return out;
    }

    std::string compound(const std::string& axis) {
        std::string type = "*";
        bool has_type = false;
        if (take("*")) {
            has_type = true;
        } else if (!rest_.empty() && (is_identifier(rest_.front()) || rest_.front() == '\\')) {
            type = name_test(identifier(), "");
            has_type = true;
        }
        const auto conditions = predicates(type);
        if (!has_type && conditions.empty())
            fail(fmt::format("a selector is expected before \"{}\"", excerpt(rest_, 40)));
        return axis + type + conditions;
    }

    /// An element or attribute of that name. HTML has its names in lower case, XML as they are written.
    std::string name_test(const std::string& name, std::string_view axis) {
        if (!std::all_of(name.begin(), name.end(), is_identifier)) fail("a name has odd characters");
        const auto small = lower(name);
        if (small == name) return fmt::format("{}{}", axis, name);
        return fmt::format("{}*[name()='{}' or name()='{}']", axis, name, small);
    }

    /// #id, .class, [attribute] and :pseudo classes as predicates.
    std::string predicates(const std::string& type) {
        std::string out;
        while (!is_bad() && !rest_.empty()) {
            if (take("#"))
                out += fmt::format("[@id={}]", xpath_literal(identifier()));
            else if (take("."))
                out += word_test("class", identifier());
            else if (take("["))
                out += attribute_test();
            else if (rest_.starts_with("::"))
                fail("::text and ::attr() stand at the end only");
            else if (take(":"))
                out += pseudo(type);
            else
                break;
        }
        return out;
    }

    static std::string word_test(const std::string& attribute, const std::string& word) {
        return fmt::format("[contains(concat(' ',normalize-space(@{}),' '),{})]", attribute,
                           xpath_literal(" " + word + " "));
    }

    std::string attribute_test() {
        skip_blanks();
        const auto name = name_test(identifier(), "@");
        skip_blanks();
        if (take("]")) return fmt::format("[{}]", name);
        std::string operation;
        for (const std::string_view known : {"~=", "|=", "^=", "$=", "*=", "="})
            if (take(known)) {
                operation = known;
                break;
            }
        if (operation.empty()) {
            fail("expected ], =, ~=, |=, ^=, $= or *= behind an attribute");
            return {};
        }
        auto value = string_or_identifier();
        skip_blanks();
        std::string subject = name;
        if (take("i]") || take("I]")) {
            subject =
                fmt::format("translate({},'ABCDEFGHIJKLMNOPQRSTUVWXYZ','abcdefghijklmnopqrstuvwxyz')", name);
            value = lower(value);
        } else if (!take("]")) {
            fail("a bracket is not closed");
        }
        const auto literal = xpath_literal(value);
        if (operation == "=") return fmt::format("[{}={}]", subject, literal);
        if (value.empty()) return "[false()]"; // as the standard says of the others
        if (operation == "~=")
            return fmt::format("[contains(concat(' ',normalize-space({}),' '),{})]", subject,
                               xpath_literal(" " + value + " "));
        if (operation == "|=")
            return fmt::format("[{0}={1} or starts-with({0},{2})]", subject, literal,
                               xpath_literal(value + "-"));
        if (operation == "^=") return fmt::format("[starts-with({},{})]", subject, literal);
        if (operation == "*=") return fmt::format("[contains({},{})]", subject, literal);
        std::size_t characters = 0;
        for (std::string_view left{value}; !left.empty(); ++characters)
            take_utf8(left);
        return fmt::format("[substring({0},string-length({0})-{1})={2}]", subject, characters - 1, literal);
    }

    std::string argument_formula(std::string_view before, std::string_view what) {
        formula f;
        skip_blanks();
        const auto end = std::min(rest_.find(')'), rest_.size());
        std::string text;
        for (const char c : rest_.substr(0, end))
            if (!is_blank(c)) text += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        rest_.remove_prefix(end);
        const auto number = [](std::string_view t) -> std::optional<long> {
            if (t.starts_with('+')) t.remove_prefix(1);
            const auto value = to_integer(t);
            if (!value || *value > 100'000 || *value < -100'000) return std::nullopt;
            return static_cast<long>(*value);
        };
        if (text == "odd") {
            f = {2, 1};
        } else if (text == "even") {
            f = {2, 0};
        } else if (const auto n = text.find('n'); n == std::string::npos) {
            const auto value = number(text);
            if (!value) fail("expected a number, odd, even or an+b in :nth-…()");
            f.b = value.value_or(0);
        } else {
            const auto a = text.substr(0, n);
            f.a = a.empty() || a == "+" ? 1 : a == "-" ? -1 : number(a).value_or(0);
            if (n + 1 < text.size()) {
                const auto value = number(text.substr(n + 1));
                if (!value) fail("expected a number, odd, even or an+b in :nth-…()");
                f.b = value.value_or(0);
            }
        }
        const auto position = fmt::format("(count({}-sibling::{})+1)", before, what);
        if (f.a == 0) return fmt::format("[{}={}]", position, f.b);
        if (f.a > 0) return fmt::format("[{0}>={2} and ({0}-{2}) mod {1}=0]", position, f.a, f.b);
        return fmt::format("[{0}<={2} and ({2}-{0}) mod {1}=0]", position, -f.a, f.b);
    }

    std::string pseudo(const std::string& type) {
        const auto name = lower(identifier());
        const bool has_argument = take("(");
        std::string out;
        if (!has_argument) {
            if (name == "first-child") return "[not(preceding-sibling::*)]";
            if (name == "last-child") return "[not(following-sibling::*)]";
            if (name == "only-child") return "[not(preceding-sibling::*) and not(following-sibling::*)]";
            if (name == "first-of-type") return fmt::format("[not(preceding-sibling::{})]", type);
            if (name == "last-of-type") return fmt::format("[not(following-sibling::{})]", type);
            if (name == "only-of-type")
                return fmt::format("[not(preceding-sibling::{0}) and not(following-sibling::{0})]", type);
            if (name == "empty") return "[not(*) and not(text())]";
            if (name == "root") return "[not(parent::*)]";
        } else if (name == "nth-child") {
            out = argument_formula("preceding", "*");
        } else if (name == "nth-last-child") {
            out = argument_formula("following", "*");
        } else if (name == "nth-of-type") {
            out = argument_formula("preceding", type);
        } else if (name == "contains") {
            out = fmt::format("[contains(normalize-space(.),{})]", xpath_literal(string_or_identifier()));
        } else if (name == "has") {
            out = fmt::format("[{}]", list("descendant::"));
        } else if (name == "not" || name == "is" || name == "where" || name == "matches") {
            const auto inner = own_conditions();
            out = name == "not" ? fmt::format("[not({})]", inner) : fmt::format("[{}]", inner);
        } else {
            fail(fmt::format("the pseudo-class :{}() is not understood", name));
        }
        if (!has_argument) fail(fmt::format("the pseudo-class :{} is not understood", name));
        skip_blanks();
        if (!is_bad() && !take(")")) fail("a parenthesis is not closed");
        return out;
    }

    /// Compound selectors with commas, as a condition on the element itself.
    std::string own_conditions() {
        if (++level_ > most_levels) fail("is nested too deeply");
        std::string out;
        do {
            skip_blanks();
            if (!out.empty()) out += " or ";
            out += compound("self::");
            skip_blanks();
        } while (!is_bad() && take(","));
        --level_;
        return out;
    }

    std::string_view rest_;
    std::string problem_;
    int level_ = 0;
};

} // namespace

std::optional<std::string> css_to_xpath(std::string_view css, std::string& problem) {
    return translator{css}.run(problem);
}

} // namespace tiktrend::sources
