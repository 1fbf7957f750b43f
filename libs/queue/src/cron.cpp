#include <tiktrend/queue/cron.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <stdexcept>
#include <vector>

namespace tiktrend::queue {
namespace {

struct field_rule {
    std::string_view name;
    int min, max;
    std::string_view letters; ///< beside digits, `*`, `?`, `,`, `-`, `/`
    bool has_names = false;
};
constexpr field_rule second_rule{"second", 0, 59, ""};
constexpr field_rule minute_rule{"minute", 0, 59, ""};
constexpr field_rule hour_rule{"hour", 0, 23, ""};
constexpr field_rule day_rule{"day of month", 1, 31, "L"};
constexpr field_rule month_rule{"month", 1, 12, "", true};
constexpr field_rule weekday_rule{"day of week", 0, 7, "L", true};

constexpr std::size_t longest_expression = 1024;
constexpr std::array<int, 12> days_in_month{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

constexpr std::array<std::pair<std::string_view, std::string_view>, 10> aliases{{
    {"@yearly", "0 0 0 1 1 *"},
    {"@annually", "0 0 0 1 1 *"},
    {"@monthly", "0 0 0 1 * *"},
    {"@weekly", "0 0 0 * * 0"},
    {"@daily", "0 0 0 * * *"},
    {"@hourly", "0 0 * * * *"},
    {"@minutely", "0 * * * * *"},
    {"@secondly", "* * * * * *"},
    {"@weekdays", "0 0 0 * * 1-5"},
    {"@weekends", "0 0 0 * * 0,6"},
}};

/// Both lists are known in both fields.
constexpr std::array<std::pair<std::string_view, int>, 19> names{{
    {"jan", 1}, {"feb", 2}, {"mar", 3},  {"apr", 4},  {"may", 5},  {"jun", 6}, {"jul", 7},
    {"aug", 8}, {"sep", 9}, {"oct", 10}, {"nov", 11}, {"dec", 12}, {"sun", 0}, {"mon", 1},
    {"tue", 2}, {"wed", 3}, {"thu", 4},  {"fri", 5},  {"sat", 6},
}};

using texts = std::vector<std::string_view>;

texts split(std::string_view text, char by) {
    texts out;
    for (;;) {
        const auto at = text.find(by);
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

texts words(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n\f\v";
    texts out;
    for (;;) {
        const auto from = text.find_first_not_of(blanks);
        if (from == std::string_view::npos) return out;
        text.remove_prefix(from);
        const auto to = text.find_first_of(blanks);
        out.push_back(text.substr(0, to));
        if (to == std::string_view::npos) return out;
        text.remove_prefix(to);
    }
}

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// The number that a text begins with; what follows it does not matter ("5L").
std::optional<int> leading_number(std::string_view text) noexcept {
    int n = 0;
    const auto r = std::from_chars(text.data(), text.data() + text.size(), n);
    if (r.ec != std::errc() || r.ptr == text.data()) return {};
    return n;
}

[[noreturn]] void refuse(const field_rule& rule, std::string_view value, std::string_view what) {
    throw std::invalid_argument(std::string{rule.name} + " \"" + std::string{value} +
                                "\": " + std::string{what});
}

/// Values of one field; those with an `L` apart.
struct field_values {
    std::uint64_t bits = 0;
    std::uint64_t twice = 0; ///< of those
    std::vector<std::string> with_last;
};

void put(field_values& values, int n) {
    const auto bit = std::uint64_t{1} << n;
    values.twice |= values.bits & bit;
    values.bits |= bit;
}

void put_range(field_values& values, const field_rule& rule, std::string_view text, int from, int to,
               int step) {
    if (from < rule.min || to > rule.max)
        refuse(rule, text, "a range is within " + std::to_string(rule.min) + "-" + std::to_string(rule.max));
    if (from > to) refuse(rule, text, "a range goes upwards");
    if (step <= 0) refuse(rule, text, "a step is positive");
    // Sunday is 0 and 7: a range of weekdays that reaches 7 has both.
    const bool has_sunday = &rule == &weekday_rule && to % 7 == 0 && (to - from) % step == 0;
    if (has_sunday) put(values, 0);
    for (int n = from; n <= to; n += step)
        if (!(has_sunday && n == 0)) put(values, n);
}

void put_item(field_values& values, const field_rule& rule, std::string_view item) {
    if (item.empty()) refuse(rule, item, "a list has an empty element");
    const auto steps = split(item, '/');
    if (steps.size() > 2) refuse(rule, item, "there is one step at most");
    auto range = std::string{steps[0]};
    if (steps.size() == 2 && range.find('-') == std::string::npos) range += "-" + std::to_string(rule.max);
    const auto ends = split(range, '-');
    if (ends.size() > 1) {
        const auto from = leading_number(ends[0]), to = leading_number(ends[1]);
        const auto step = steps.size() == 2 ? leading_number(steps[1]) : std::optional{1};
        if (!from || !to) refuse(rule, item, "a range has two numbers");
        if (!step) refuse(rule, item, "a step is a number");
        put_range(values, rule, item, *from, *to, *step);
        return;
    }
    if (range.find('L') != std::string::npos) {
        if (range.size() > 3 || range.find('L') != range.size() - 1)
            refuse(rule, item, "L comes after a number at most");
        if (std::find(values.with_last.begin(), values.with_last.end(), range) != values.with_last.end())
            refuse(rule, item, "it is there twice");
        values.with_last.push_back(range);
        return;
    }
    const auto n = leading_number(range);
    if (!n || *n < rule.min || *n > rule.max)
        refuse(rule, item, "a value is in " + std::to_string(rule.min) + "-" + std::to_string(rule.max));
    put(values, &rule == &weekday_rule ? *n % 7 : *n);
}

/// Names become numbers, three letters at a time.
std::string without_names(const field_rule& rule, std::string_view value) {
    std::string out;
    for (std::size_t i = 0; i < value.size();) {
        const bool is_name =
            i + 2 < value.size() && is_letter(value[i]) && is_letter(value[i + 1]) && is_letter(value[i + 2]);
        if (!is_name) {
            out += value[i++];
            continue;
        }
        const std::string word{lower(value[i]), lower(value[i + 1]), lower(value[i + 2])};
        const auto* found =
            std::find_if(names.begin(), names.end(), [&](const auto& n) { return n.first == word; });
        if (found == names.end()) refuse(rule, value, "there is no month or weekday \"" + word + "\"");
        out += std::to_string(found->second);
        i += 3;
    }
    return out;
}

/// `possible`: values that count; others may be there, even twice, unless there is nothing else.
field_values parse_field(const field_rule& rule, std::string_view value,
                         std::uint64_t possible = ~std::uint64_t{0}) {
    const auto text = rule.has_names ? without_names(rule, value) : std::string{value};
    std::string plain;
    for (const char c : text) {
        const bool is_known = (c >= '0' && c <= '9') ||
                              std::string_view{",-/*?"}.find(c) != std::string_view::npos ||
                              rule.letters.find(c) != std::string_view::npos;
        if (c == 'H') refuse(rule, value, "H (a random value) is not supported");
        if (!is_known) refuse(rule, value, std::string{"it has the character \""} + c + "\"");
        if (c == '*' || c == '?')
            plain += std::to_string(rule.min) + "-" + std::to_string(rule.max);
        else
            plain += c;
    }
    field_values values;
    for (const auto item : split(plain, ','))
        put_item(values, rule, item);
    const auto counted = values.bits & possible ? values.twice & possible : values.twice;
    if (counted != 0 && (values.bits & possible || values.with_last.empty()))
        refuse(rule, value, "the value " + std::to_string(std::countr_zero(counted)) + " is there twice");
    return values;
}

bool is_wildcard(std::string_view value) noexcept {
    return value == "*" || value == "?";
}
bool has_last(std::string_view value) noexcept {
    return value.find('L') != std::string_view::npos;
}

/// "5#3" as 5 and 3.
std::pair<std::string_view, int> split_nth(std::string_view value) {
    const auto parts = split(value, '#');
    if (parts.size() == 1) return {value, 0};
    if (value.find_first_of(",-/") != std::string_view::npos)
        refuse(weekday_rule, value, "# does not go together with lists, ranges and steps");
    const bool is_nth = parts.size() == 2 && parts[1].size() == 1 && parts[1][0] >= '1' && parts[1][0] <= '5';
    if (!is_nth) refuse(weekday_rule, value, "after # comes 1, 2, 3, 4 or 5");
    return {parts[0], parts[1][0] - '0'};
}

} // namespace

/// Fills in an expression. Throws std::invalid_argument.
class cron_parser {
public:
    static cron_expression parse(std::string_view text) {
        if (text.size() > longest_expression)
            throw std::invalid_argument("it is longer than 1024 characters");
        for (const auto& [name, meaning] : aliases)
            if (text == name) text = meaning;
        auto fields = words(text);
        if (fields.empty()) throw std::invalid_argument("it is empty");
        if (fields.size() > 6) throw std::invalid_argument("it has more than 6 fields");
        static constexpr std::array<std::string_view, 6> defaults{"0", "*", "*", "*", "*", "*"};
        fields.insert(fields.begin(), defaults.begin(),
                      defaults.begin() + static_cast<std::ptrdiff_t>(6 - fields.size()));

        cron_expression e;
        e.seconds_ = parse_field(second_rule, fields[0]).bits;
        e.minutes_ = parse_field(minute_rule, fields[1]).bits;
        e.hours_ = parse_field(hour_rule, fields[2]).bits;
        e.months_ = parse_field(month_rule, fields[4]).bits;
        e.days_ = parse_field(day_rule, fields[3], days_of(e.months_)).bits;
        e.on_last_day_ = has_last(fields[3]);
        e.any_day_ = is_wildcard(fields[3]);
        e.any_weekday_ = is_wildcard(fields[5]);
        set_weekdays(e, fields[5]);
        check_day_of_month(e, fields[3]);
        return e;
    }

private:
    static void set_weekdays(cron_expression& e, std::string_view value) {
        const auto [days, nth] = split_nth(value);
        const auto values = parse_field(weekday_rule, days);
        e.nth_weekday_ = nth;
        e.weekdays_ = (values.bits | values.bits >> 7) & 0x7f;
        if (!has_last(value)) return;
        e.last_weekdays_ = e.weekdays_;
        for (const auto& v : values.with_last) {
            if (v == "L") refuse(weekday_rule, value, "L comes after a weekday");
            e.last_weekdays_ |= std::uint64_t{1} << ((v[0] - '0') % 7);
        }
    }

    /// Days that a single month has; of several, all.
    static std::uint64_t days_of(std::uint64_t months) noexcept {
        if (!std::has_single_bit(months)) return ~std::uint64_t{0};
        const auto days = days_in_month[static_cast<std::size_t>(std::countr_zero(months)) - 1];
        return (std::uint64_t{1} << (days + 1)) - 1;
    }

    /// With a single month, a day that the month never has is a mistake.
    static void check_day_of_month(const cron_expression& e, std::string_view value) {
        if (!std::has_single_bit(e.months_) || e.on_last_day_ || !e.any_weekday_) return;
        const auto days = days_in_month[static_cast<std::size_t>(std::countr_zero(e.months_)) - 1];
        if (std::countr_zero(e.days_) > days) refuse(day_rule, value, "the month has no such day");
    }
};

std::optional<cron_expression> cron_expression::parse(std::string_view text, std::string& why) {
    try {
        return cron_parser::parse(text);
    } catch (const std::invalid_argument& e) {
        why = e.what();
        return {};
    }
}

} // namespace tiktrend::queue
