#include "robots_rules.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace tiktrend::worker {
namespace {

constexpr std::chrono::milliseconds longest_delay = std::chrono::hours{24}; ///< what is more means "never"

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\0';
}

std::string_view trimmed(std::string_view s) noexcept {
    while (!s.empty() && is_blank(s.front()))
        s.remove_prefix(1);
    while (!s.empty() && is_blank(s.back()))
        s.remove_suffix(1);
    return s;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
    return -1;
}

bool is_unreserved(unsigned char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& out, unsigned char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += '%';
    out += digits[c >> 4U];
    out += digits[c & 15U];
}

/// One spelling for what RFC 9309 section 2.2.2 calls equal: unreserved octets plain, others that are
/// percent-encoded with upper-case digits, octets outside of printable ASCII encoded. So are `*` and `$`
/// where they mean themselves (section 2.2.3): anywhere in an address, and a `$` that does not end a pattern.
enum class text_kind { pattern, address };
std::string normal_form(std::string_view text, text_kind kind) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
            const auto octet =
                static_cast<unsigned char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            if (is_unreserved(octet))
                out += static_cast<char>(octet);
            else
                append_encoded(out, octet);
            i += 2;
        } else if (c <= 0x20 || c >= 0x7f || (c == '*' && kind == text_kind::address) ||
                   (c == '$' && (kind == text_kind::address || i + 1 < text.size()))) {
            append_encoded(out, c);
        } else {
            out += static_cast<char>(c);
        }
    }
    return out;
}

/// `*` matches any octets, `$` at the end of the pattern the end of the target. The texts between stars are
/// looked for from left to right, the first place is always good enough: |pattern| + |target| steps, since
/// memmem is linear.
bool matches(std::string_view pattern, std::string_view target) noexcept {
    const bool is_anchored = pattern.ends_with('$');
    if (is_anchored) pattern.remove_suffix(1);
    auto star = pattern.find('*');
    const auto head = pattern.substr(0, star);
    if (!target.starts_with(head)) return false;
    target.remove_prefix(head.size());
    if (star == std::string_view::npos) return !is_anchored || target.empty();
    for (;;) {
        pattern.remove_prefix(star + 1);
        star = pattern.find('*');
        const auto piece = pattern.substr(0, star);
        if (star == std::string_view::npos && is_anchored) return target.ends_with(piece);
        if (!piece.empty()) {
            const void* at = ::memmem(target.data(), target.size(), piece.data(), piece.size());
            if (!at) return false;
            target.remove_prefix(static_cast<std::size_t>(static_cast<const char*>(at) - target.data()) +
                                 piece.size());
        }
        if (star == std::string_view::npos) return true;
    }
}

std::optional<std::chrono::milliseconds> parse_delay(std::string_view text) noexcept {
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc{} || end != text.data() + text.size() || !(seconds >= 0)) return std::nullopt;
    const double ms = seconds * 1000;
    if (ms >= static_cast<double>(longest_delay.count())) return longest_delay;
    return std::chrono::milliseconds{static_cast<std::int64_t>(ms + 0.5)};
}

} // namespace

std::string_view product_token(std::string_view user_agent) noexcept {
    std::size_t n = 0;
    while (n < user_agent.size() && ((lower(user_agent[n]) >= 'a' && lower(user_agent[n]) <= 'z') ||
                                     user_agent[n] == '_' || user_agent[n] == '-'))
        ++n;
    return user_agent.substr(0, n);
}

/// Collects the groups for one crawler while the lines go by.
class robots_reader {
public:
    explicit robots_reader(std::string_view product) : product_{product} {}

    void line(std::string_view text);
    robots_rules finish() &&;

private:
    struct group {
        bool is_seen = false;
        std::vector<robots_rules::rule> rules;
        std::optional<std::chrono::milliseconds> delay;
    };

    void user_agent(std::string_view value);
    void rule(std::string_view value, bool allow);
    void delay(std::string_view value);

    std::string_view product_;
    group named_;   ///< groups that name this crawler
    group general_; ///< groups of "*"
    bool is_in_named_ = false;
    bool is_in_general_ = false;
    bool last_was_agent_ = false; ///< RFC 9309: only a rule ends a list of user-agent lines
    std::vector<std::string> sitemaps_;
};

void robots_reader::line(std::string_view text) {
    text = trimmed(text.substr(0, text.find('#')));
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return;
    const auto key = trimmed(text.substr(0, colon));
    const auto value = trimmed(text.substr(colon + 1));
    if (same_word(key, "user-agent"))
        user_agent(value);
    else if (same_word(key, "allow"))
        rule(value, true);
    else if (same_word(key, "disallow"))
        rule(value, false);
    else if (same_word(key, "crawl-delay"))
        delay(value);
    else if (same_word(key, "sitemap") && !value.empty() && sitemaps_.size() < robots_rules::max_sitemaps)
        sitemaps_.emplace_back(value);
}

void robots_reader::user_agent(std::string_view value) {
    if (!last_was_agent_) is_in_named_ = is_in_general_ = false;
    last_was_agent_ = true;
    if (value == "*" || value.starts_with("* ")) {
        is_in_general_ = general_.is_seen = true;
    } else if (const auto token = product_token(value); !token.empty() && same_word(token, product_)) {
        is_in_named_ = named_.is_seen = true;
    }
}

void robots_reader::rule(std::string_view value, bool allow) {
    last_was_agent_ = false;
    if (value.empty() || value.size() > robots_rules::max_pattern_bytes)
        return; // an empty rule matches nothing
    // Many files write "folder/" for "/folder/"; a pattern that begins with neither could never match.
    auto pattern = normal_form(value, text_kind::pattern);
    if (pattern.front() != '/' && pattern.front() != '*') pattern.insert(pattern.begin(), '/');
    for (auto* g : {is_in_named_ ? &named_ : nullptr, is_in_general_ ? &general_ : nullptr})
        if (g && g->rules.size() < robots_rules::max_rules) g->rules.push_back({pattern, allow});
}

/// Does not end a list of user-agent lines, and counts for the agents listed so far.
void robots_reader::delay(std::string_view value) {
    const auto d = parse_delay(value);
    if (!d) return;
    for (auto* g : {is_in_named_ ? &named_ : nullptr, is_in_general_ ? &general_ : nullptr})
        if (g) g->delay = std::max(g->delay.value_or(*d), *d);
}

robots_rules robots_reader::finish() && {
    auto& chosen = named_.is_seen ? named_ : general_;
    robots_rules out;
    out.rules_ = std::move(chosen.rules);
    out.crawl_delay_ = chosen.delay;
    out.sitemaps_ = std::move(sitemaps_);
    std::sort(out.rules_.begin(), out.rules_.end(), [](const auto& a, const auto& b) {
        if (a.pattern.size() != b.pattern.size()) return a.pattern.size() > b.pattern.size();
        return a.allow && !b.allow;
    });
    return out;
}

std::string_view robots_rules::readable(std::string_view text) noexcept {
    if (text.size() <= max_bytes) return text;
    text = text.substr(0, max_bytes);
    return text.substr(0, text.find_last_of("\r\n") + 1); // nothing, if it is one line
}

robots_rules robots_rules::parse(std::string_view text, std::string_view product) {
    text = readable(text);
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    robots_reader reader{product};
    while (!text.empty()) {
        const auto end = text.find_first_of("\r\n");
        reader.line(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return std::move(reader).finish();
}

std::size_t robots_rules::bytes() const noexcept {
    std::size_t out = sizeof *this;
    for (const auto& r : rules_)
        out += sizeof r + r.pattern.size();
    for (const auto& s : sitemaps_)
        out += sizeof s + s.size();
    return out;
}

robots_rules robots_rules::disallow_all() {
    robots_rules out;
    out.rules_.push_back({"/", false});
    return out;
}

bool robots_rules::allows(std::string_view target) const {
    const auto path = target.substr(0, target.find('?'));
    if (path == "/robots.txt" || rules_.empty()) return true;
    const auto normal = normal_form(target, text_kind::address);
    for (const auto& r : rules_)
        if (matches(r.pattern, normal)) return r.allow;
    return true;
}

} // namespace tiktrend::worker
