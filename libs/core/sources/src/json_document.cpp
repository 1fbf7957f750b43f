#include "json_document.hpp"

#include "json_strings.hpp"

#include <tiktrend/base/json_text.hpp>

#include <simdjson.h>

#include <algorithm>
#include <cstring>

namespace tiktrend::sources {
namespace {

constexpr std::string_view blanks = " \t\r\n";

std::string_view trim_right(std::string_view text) noexcept {
    while (!text.empty() && blanks.find(text.back()) != std::string_view::npos)
        text.remove_suffix(1);
    return text;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && blanks.find(text.front()) != std::string_view::npos)
        text.remove_prefix(1);
    return trim_right(text);
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// Thrown while walking and caught in parse(): a bad document is rare, and the walk stays free of checks
/// after every call.
struct bad_document {
    std::string_view reason;
};

} // namespace

struct json_document::parser {
    simdjson::ondemand::parser simd;
};

/// Walks one document completely and writes its index.
class json_walker {
public:
    explicit json_walker(json_document& out) : out_{out}, base_{out.text_.data()} {}

    void walk(simdjson::ondemand::document& document) {
        simdjson::ondemand::json_type type{};
        check(document.type().get(type));
        if (type == simdjson::ondemand::json_type::array) {
            simdjson::ondemand::array array;
            check(document.get_array().get(array));
            walk_array(array, 1);
        } else {
            simdjson::ondemand::object object;
            check(document.get_object().get(object));
            walk_object(object, 1);
        }
        if (document.current_location().error() != simdjson::OUT_OF_BOUNDS)
            throw bad_document{"there is more text after the end of the document"};
    }

    void scalar(std::string_view token) {
        token = trim_right(token);
        if (token.empty()) throw bad_document{"a value is missing"};
        switch (token.front()) {
        case '"':
            if (token.size() < 2 || token.back() != '"') throw bad_document{"a string does not end"};
            string(token.substr(1, token.size() - 2));
            return;
        case 't':
        case 'f':
            if (token != "true" && token != "false")
                throw bad_document{"an unknown word stands where a value is expected"};
            add(json_kind::boolean, token);
            return;
        case 'n':
            if (token != "null") throw bad_document{"an unknown word stands where a value is expected"};
            add(json_kind::null, token);
            return;
        default:
            if (!is_json_number(token)) throw bad_document{"a number is malformed"};
            add(json_kind::number, token);
        }
    }

private:
    static void check(simdjson::error_code error) {
        if (error != simdjson::SUCCESS) throw bad_document{simdjson::error_message(error)};
    }

    std::uint32_t add(json_kind kind, std::string_view raw, bool is_escaped = false) {
        const auto index = static_cast<std::uint32_t>(out_.entries_.size());
        out_.entries_.push_back({static_cast<std::uint32_t>(raw.data() - base_),
                                 static_cast<std::uint32_t>(raw.size()), index + 1, kind, is_escaped});
        return index;
    }

    void string(std::string_view raw) {
        const bool is_escaped = std::memchr(raw.data(), '\\', raw.size()) != nullptr;
        if (is_escaped) {
            const auto lone = check_escapes(raw);
            if (!lone) throw bad_document{"a string has an unknown escape"};
            out_.notes_.replaced_surrogates += *lone;
        }
        add(json_kind::string, raw, is_escaped);
    }

    void walk_value(simdjson::ondemand::value value, int depth) {
        simdjson::ondemand::json_type type{};
        check(value.type().get(type));
        if (type == simdjson::ondemand::json_type::array) {
            simdjson::ondemand::array array;
            check(value.get_array().get(array));
            walk_array(array, depth + 1);
        } else if (type == simdjson::ondemand::json_type::object) {
            simdjson::ondemand::object object;
            check(value.get_object().get(object));
            walk_object(object, depth + 1);
        } else {
            scalar(value.raw_json_token()); // the container's iterator skips it
        }
    }

    void walk_array(simdjson::ondemand::array& array, int depth) {
        const auto index = open(json_kind::array, depth);
        std::uint32_t count = 0;
        for (auto item : array) {
            simdjson::ondemand::value value;
            check(item.get(value));
            walk_value(value, depth);
            ++count;
        }
        close(index, count);
    }

    void walk_object(simdjson::ondemand::object& object, int depth) {
        const auto index = open(json_kind::object, depth);
        std::uint32_t count = 0;
        std::int64_t duplicates = 0;
        key_filter seen;
        for (auto item : object) {
            simdjson::ondemand::field field;
            check(std::move(item).get(field));
            const auto key = raw_key(field.key().raw());
            string(key);
            if (seen.may_hold(key) && count < key_filter::max_exact) duplicates += is_duplicate(index, key);
            walk_value(std::move(field).value(), depth);
            ++count;
        }
        close(index, count);
        out_.notes_.duplicate_keys += count > key_filter::max_exact ? count_duplicates(index) : duplicates;
    }

    /// Keys of an object in 256 bits: a quick "certainly new" for all but a few of them.
    struct key_filter {
        static constexpr std::uint32_t max_exact = 64;
        std::array<std::uint64_t, 4> bits{};

        bool may_hold(std::string_view key) noexcept {
            std::uint64_t h = key.size() * 0x9E3779B97F4A7C15U;
            std::uint64_t head = 0;
            std::uint64_t tail = 0;
            const auto n = std::min<std::size_t>(key.size(), 8);
            std::memcpy(&head, key.data(), n);
            std::memcpy(&tail, key.data() + key.size() - n, n);
            h = (h ^ head) * 0xFF51AFD7ED558CCDU;
            h = (h ^ (h >> 29) ^ tail) * 0xC4CEB9FE1A85EC53U;
            const auto bit = h >> 56;
            auto& word = bits[bit >> 6];
            const auto mask = std::uint64_t{1} << (bit & 63);
            const bool had = (word & mask) != 0;
            word |= mask;
            return had;
        }
    };

    /// Compares keys as they are written; "a" and "\u0061" in one object are not noticed here, though
    /// look-ups treat them alike.
    bool is_duplicate(std::uint32_t object, std::string_view key) const {
        const auto& entries = out_.entries_;
        const auto last = static_cast<std::uint32_t>(entries.size()) - 1; // the key just added
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

    std::uint32_t open(json_kind kind, int depth) {
        if (depth > json_document::max_depth) throw bad_document{"nested deeper than 128 levels"};
        return add(kind, {base_, 0});
    }

    void close(std::uint32_t index, std::uint32_t count) {
        auto& e = out_.entries_[index];
        e.length = count;
        e.next = static_cast<std::uint32_t>(out_.entries_.size());
    }

    /// On-demand gives where a key begins; stage 1 has made sure that its closing quote exists.
    std::string_view raw_key(const char* begin) const noexcept {
        const char* end = begin;
        const char* const limit = base_ + out_.text_.size();
        while (end < limit && *end != '"')
            end += *end == '\\' ? 2 : 1;
        return {begin, static_cast<std::size_t>(std::min(end, limit) - begin)};
    }

    json_document& out_;
    const char* base_;
};

json_document::json_document() : parser_{std::make_unique<parser>()} {}
json_document::~json_document() = default;
json_document::json_document(json_document&&) noexcept = default;
json_document& json_document::operator=(json_document&&) noexcept = default;

json_status json_document::fail(std::string problem) {
    problem_ = std::move(problem);
    entries_.clear();
    return json_status::bad;
}

json_status json_document::parse(std::string_view text, std::size_t readable_after) {
    entries_.clear();
    problem_.clear();
    notes_ = {};
    if (text.size() > 0xFFFF'0000U) return fail("longer than 4 GiB");

    if (auto converted = utf16_to_utf8(text)) {
        copy_ = std::move(*converted);
        text = copy_;
        readable_after = 0;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const auto trimmed = trim(text);
    if (trimmed.empty()) return json_status::empty;

    if (!simdjson::validate_utf8(text)) {
        copy_ = repair_utf8(text);
        notes_.repaired_utf8 = true;
        text = copy_;
        readable_after = 0;
    }
    if (readable_after < simdjson::SIMDJSON_PADDING) {
        if (text.data() == copy_.data()) {
            const auto size = text.size();
            copy_.resize(size + simdjson::SIMDJSON_PADDING);
            text = std::string_view{copy_}.substr(0, size);
        } else {
            std::string padded;
            padded.reserve(text.size() + simdjson::SIMDJSON_PADDING);
            padded.append(text).append(simdjson::SIMDJSON_PADDING, ' ');
            const auto size = text.size();
            copy_ = std::move(padded);
            text = std::string_view{copy_}.substr(0, size);
        }
    }
    text_ = text;

    json_walker walker{*this};
    try {
        if (const auto whole = trim(text); whole.front() != '{' && whole.front() != '[') {
            if (has_control_characters(whole)) return fail("a control character stands outside of an escape");
            if (whole.front() == '"' && !is_one_string(whole))
                return fail("there is more text after the end of the document");
            walker.scalar(whole);
            return json_status::ok;
        }
        const simdjson::padded_string_view view{text.data(), text.size(),
                                                text.size() + simdjson::SIMDJSON_PADDING};
        simdjson::ondemand::document document;
        if (const auto error = parser_->simd.iterate(view).get(document); error != simdjson::SUCCESS)
            return fail(simdjson::error_message(error));
        walker.walk(document);
        return json_status::ok;
    } catch (const bad_document& bad) {
        return fail(std::string{bad.reason});
    }
}

json_node json_document::root() const noexcept {
    return entries_.empty() ? json_node{} : json_node{this, 0};
}

std::string_view json_document::unescaped(const entry& e, std::string& scratch) const {
    const auto raw = text_at(e);
    if (!e.is_escaped) return raw;
    scratch.clear();
    append_unescaped(scratch, raw);
    return scratch;
}

json_kind json_node::kind() const noexcept {
    return exists() ? document_->entries_[index_].kind : json_kind::null;
}

bool json_node::boolean() const noexcept {
    return is(json_kind::boolean) && raw() == "true";
}

std::string_view json_node::raw() const noexcept {
    if (!exists() || !is_scalar()) return {};
    return document_->text_at(document_->entries_[index_]);
}

std::string_view json_node::text(std::string& scratch) const {
    if (!exists() || !is_scalar()) return {};
    return document_->unescaped(document_->entries_[index_], scratch);
}

std::size_t json_node::size() const noexcept {
    return exists() && !is_scalar() ? document_->entries_[index_].length : 0;
}

std::size_t json_node::value_count() const noexcept {
    return exists() ? document_->entries_[index_].next - index_ : 0;
}

json_node json_node::member(std::string_view key) const noexcept {
    if (!is(json_kind::object)) return {};
    const auto& entries = document_->entries_;
    for (auto at = index_ + 1; at < entries[index_].next; at = entries[at + 1].next) {
        const auto& e = entries[at];
        if (!e.is_escaped ? document_->text_at(e) == key : equals_unescaped(document_->text_at(e), key))
            return {document_, at + 1};
    }
    return {};
}

json_node json_node::element(std::int64_t index) const noexcept {
    if (!is(json_kind::array)) return {};
    const auto count = static_cast<std::int64_t>(size());
    if (index < 0) index += count;
    if (index < 0 || index >= count) return {};
    auto at = index_ + 1;
    while (index-- > 0)
        at = document_->entries_[at].next;
    return {document_, at};
}

void json_node::append_to(std::string& out) const {
    std::string scratch;
    switch (kind()) {
    case json_kind::null:
        out += "null";
        return;
    case json_kind::boolean:
    case json_kind::number:
        out += raw();
        return;
    case json_kind::string:
        append_json_string(out, without_nul(text(scratch), scratch));
        return;
    case json_kind::array: {
        out += '[';
        bool first = true;
        each_value([&](json_node n) {
            if (!std::exchange(first, false)) out += ',';
            n.append_to(out);
            return true;
        });
        out += ']';
        return;
    }
    case json_kind::object: {
        out += '{';
        bool first = true;
        const bool has_duplicates = document_->notes_.duplicate_keys > 0;
        each_member([&](std::string_view key, json_node n) {
            if (has_duplicates && member(key).index_ != n.index_) return true;
            if (!std::exchange(first, false)) out += ',';
            append_json_string(out, key);
            out += ':';
            n.append_to(out);
            return true;
        });
        out += '}';
        return;
    }
    }
}

bool is_json_number(std::string_view t) noexcept {
    std::size_t i = 0;
    const auto digits = [&] {
        const auto from = i;
        while (i < t.size() && is_digit(t[i]))
            ++i;
        return i > from;
    };
    if (i < t.size() && t[i] == '-') ++i;
    if (i < t.size() && t[i] == '0')
        ++i;
    else if (!digits())
        return false;
    if (i < t.size() && t[i] == '.') {
        ++i;
        if (!digits()) return false;
    }
    if (i < t.size() && (t[i] == 'e' || t[i] == 'E')) {
        ++i;
        if (i < t.size() && (t[i] == '+' || t[i] == '-')) ++i;
        if (!digits()) return false;
    }
    return i == t.size() && i > 0;
}

} // namespace tiktrend::sources
