#include "json_document.hpp"

#include "json_strings.hpp"

#include <tiktrend/base/json_text.hpp>

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace tiktrend::sources {
namespace {

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

std::string_view trim_right(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    return trim_right(text);
}

/// Keys of an object in 256 bits: a quick "certainly new" for all but a few of them.
class key_filter {
public:
    bool may_hold(std::string_view key) noexcept {
        std::uint64_t head = 0;
        std::uint64_t tail = 0;
        if (key.size() >= 8) {
            std::memcpy(&head, key.data(), 8);
            std::memcpy(&tail, key.data() + key.size() - 8, 8);
        } else {
            for (const char c : key)
                head = (head << 8) | static_cast<unsigned char>(c);
        }
        const auto mixed = head ^ (key.size() << 56) ^ (tail * 0x9E3779B97F4A7C15U);
        const auto bit = (mixed * 0xC4CEB9FE1A85EC53U) >> 56;
        auto& word = bits_[bit >> 6];
        const auto mask = std::uint64_t{1} << (bit & 63);
        const bool had = (word & mask) != 0;
        word |= mask;
        return had;
    }

private:
    std::array<std::uint64_t, 4> bits_{};
};

constexpr std::size_t large_text = 1 << 20; ///< buffers of larger ones are given back

} // namespace

struct json_document::parser {
    simdjson::dom::parser simd;

    /// Where the tokens of `text` begin: brackets, commas, colons, and the first byte of every scalar.
    /// simdjson marks this interface as made for benchmarks; it is the only one that gives tokens instead of
    /// values.
    simdjson::error_code find_tokens(std::string_view text) {
        if (simd.capacity() > large_text && text.size() <= large_text) simd = simdjson::dom::parser{};
        if (simd.capacity() < text.size() || !simd.implementation)
            if (const auto error = simd.allocate(std::max<std::size_t>(text.size(), 4096));
                error != simdjson::SUCCESS)
                return error;
        return simd.implementation->stage1(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(),
                                           simdjson::stage1_mode::regular);
    }
    std::span<const std::uint32_t> tokens() const noexcept {
        return {simd.implementation->structural_indexes.get(), simd.implementation->n_structural_indexes};
    }
};

/// Walks all tokens once, checks the grammar of RFC 8259 and writes the index.
class json_walker {
public:
    json_walker(json_document& out, std::span<const std::uint32_t> tokens)
        : out_{out}, text_{out.text_}, tokens_{tokens}, next_{out.entries_.data()},
          next_escape_{std::min(text_.find('\\'), text_.size())} {}

    /// What is wrong, or empty.
    std::string_view walk() {
        while (true) {
            if (!value()) return problem_;
            while (true) { // behind a value: close what ends here, or go on to the next value
                if (depth_ == 0) return at_ == tokens_.size() ? std::string_view{} : more_text;
                auto& top = open_[depth_ - 1];
                if (take(',')) {
                    if (top.is_object && !key(top)) return problem_;
                    ++top.count;
                    break;
                }
                if (!take(top.is_object ? '}' : ']')) return unclosed;
                close();
            }
        }
    }

private:
    static constexpr std::string_view more_text = "there is more text after the end of the document";
    static constexpr std::string_view unclosed =
        "a list or an object is not continued or closed as it should be";
    static constexpr std::uint32_t max_exact =
        64; ///< members up to which duplicates are looked for one by one

    struct level {
        std::uint32_t entry = 0;
        std::uint32_t count = 0;
        std::int64_t duplicates = 0;
        key_filter seen;
        bool is_object = false;
    };

    bool fail(std::string_view problem) {
        problem_ = problem;
        return false;
    }

    bool take(char c) noexcept {
        if (at_ == tokens_.size() || text_[tokens_[at_]] != c) return false;
        ++at_;
        return true;
    }

    /// The next scalar, opening every container in front of it; or an empty container. Afterwards the walk
    /// stands behind a value.
    bool value() {
        while (true) {
            if (at_ == tokens_.size()) return fail("a value is missing");
            const char c = text_[tokens_[at_]];
            if (c != '{' && c != '[') return scalar();
            ++at_;
            const bool is_object = c == '{';
            if (!open(is_object)) return false;
            if (take(is_object ? '}' : ']')) {
                close();
                return true;
            }
            auto& top = open_[depth_ - 1];
            if (is_object && !key(top)) return false;
            ++top.count;
        }
    }

    std::string_view token() noexcept {
        const auto begin = tokens_[at_];
        ++at_;
        const auto end = at_ < tokens_.size() ? tokens_[at_] : text_.size();
        return trim_right({text_.data() + begin, end - begin});
    }

    /// True if a backslash stands in `t`. The texts are asked about in their order, so that all of the
    /// document is searched once.
    bool has_escape(std::string_view t) noexcept {
        const auto begin = static_cast<std::size_t>(t.data() - text_.data());
        if (next_escape_ < begin) next_escape_ = std::min(text_.find('\\', begin), text_.size());
        return next_escape_ < begin + t.size();
    }

    bool scalar() {
        const auto t = token();
        switch (t.front()) {
        case '"':
            return string(t, json_kind::string);
        case 't':
        case 'f':
            if (t != "true" && t != "false") return fail("an unknown word stands where a value is expected");
            add(json_kind::boolean, t);
            return true;
        case 'n':
            if (t != "null") return fail("an unknown word stands where a value is expected");
            add(json_kind::null, t);
            return true;
        default:
            if (!is_json_number(t))
                return fail("a number is malformed, or no value stands where one is expected");
            add(json_kind::number, t);
            return true;
        }
    }

    bool string(std::string_view t, json_kind kind) {
        if (t.size() < 2 || t.back() != '"') return fail("a string does not end");
        t = t.substr(1, t.size() - 2);
        const bool is_escaped = has_escape(t);
        if (is_escaped) {
            const auto lone = check_escapes(t);
            if (!lone) return fail("a string has an unknown escape");
            out_.notes_.replaced_surrogates += *lone;
        }
        add(kind, t, is_escaped);
        return true;
    }

    bool key(level& object) {
        if (at_ == tokens_.size() || text_[tokens_[at_]] != '"') return fail("a key in quotes is expected");
        const auto t = token();
        if (!string(t, json_kind::key)) return false;
        next_[-1].next = object.entry;
        const auto name = t.substr(1, t.size() - 2);
        if (object.seen.may_hold(name) && object.count < max_exact)
            object.duplicates += is_duplicate(object.entry, name);
        return take(':') || fail("a colon is expected behind a key");
    }

    /// Field by field into the entry: building one first and copying it would stall on every store.
    void add(json_kind kind, std::string_view raw, bool is_escaped = false) {
        auto& e = *next_++;
        e.begin = static_cast<std::uint32_t>(raw.data() - text_.data());
        e.length = static_cast<std::uint32_t>(raw.size());
        e.next = count();
        e.kind = kind;
        e.is_escaped = is_escaped;
    }

    std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(next_ - out_.entries_.data()); }

    bool open(bool is_object) {
        if (depth_ == json_document::max_depth) return fail("nested deeper than 128 levels");
        auto& top = open_[depth_++];
        top = level{};
        top.entry = count();
        top.is_object = is_object;
        add(is_object ? json_kind::object : json_kind::array, text_.substr(0, 0));
        return true;
    }

    void close() {
        const auto& top = open_[--depth_];
        auto& e = out_.entries_[top.entry];
        e.length = top.count;
        e.next = count();
        if (top.is_object)
            out_.notes_.duplicate_keys +=
                top.count > max_exact ? count_duplicates(top.entry) : top.duplicates;
    }

    /// Compares keys as they are written; "a" and "\u0061" in one object are not noticed here, though
    /// look-ups treat them alike.
    bool is_duplicate(std::uint32_t object, std::string_view key) const {
        const auto& entries = out_.entries_;
        const auto last = count() - 1; // the key just added
        for (auto at = object + 1; at < last; at = entries[at + 1].next)
            if (out_.text_at(entries[at]) == key) return true;
        return false;
    }

    /// Large objects are sorted, so that a hostile one costs n log n.
    std::int64_t count_duplicates(std::uint32_t object) const {
        const auto& entries = out_.entries_;
        std::vector<std::string_view> keys;
        for (auto at = object + 1; at < entries[object].next; at = entries[at + 1].next)
            keys.push_back(out_.text_at(entries[at]));
        std::sort(keys.begin(), keys.end());
        std::int64_t found = 0;
        for (std::size_t i = 1; i < keys.size(); ++i)
            found += keys[i] == keys[i - 1];
        return found;
    }

    json_document& out_;
    std::string_view text_;
    std::span<const std::uint32_t> tokens_;
    json_document::entry* next_; ///< where the next entry goes; there is one for every token
    std::size_t next_escape_;    ///< of the first backslash behind the strings read so far
    std::size_t at_ = 0;         ///< of the next token
    std::array<level, json_document::max_depth> open_;
    std::size_t depth_ = 0;
    std::string_view problem_;
};

json_document::json_document() : parser_{std::make_unique<parser>()} {}
json_document::~json_document() = default;
json_document::json_document(json_document&&) noexcept = default;
json_document& json_document::operator=(json_document&&) noexcept = default;

json_status json_document::fail(std::string problem) {
    problem_ = std::move(problem);
    return json_status::bad;
}

json_status json_document::parse(std::string_view text) {
    has_root_ = false;
    problem_.clear();
    notes_ = {};
    if (text.size() > 0xFFFF'0000U) return fail("longer than 4 GiB");

    if (auto converted = utf16_to_utf8(text)) {
        copy_ = std::move(*converted);
        text = copy_;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    text = trim(text);
    if (text.empty()) return json_status::empty;

    auto error = parser_->find_tokens(text);
    if (error == simdjson::UTF8_ERROR) {
        copy_ = repair_utf8(text);
        notes_.repaired_utf8 = true;
        text = copy_;
        error = parser_->find_tokens(text);
    }
    if (error != simdjson::SUCCESS) return fail(simdjson::error_message(error));
    text_ = text;
    const auto tokens = parser_->tokens();
    if (entries_.size() > large_text / sizeof(entry) && text.size() <= large_text) entries_ = {};
    if (entries_.size() < tokens.size())
        entries_ = std::vector<entry>(tokens.size()); // never more entries than tokens
    json_walker walker{*this, tokens};
    if (const auto problem = walker.walk(); !problem.empty()) return fail(std::string{problem});
    has_root_ = true;
    return json_status::ok;
}

json_node json_document::root() const noexcept {
    return has_root_ ? json_node{this, 0} : json_node{};
}

std::string_view json_document::unescape(std::string_view raw, std::string& scratch) {
    scratch.clear();
    append_unescaped(scratch, raw);
    return scratch;
}

} // namespace tiktrend::sources
