// What one value of a document answers.
#include "json_document.hpp"
#include "json_strings.hpp"

#include <tiktrend/base/json_text.hpp>

#include <charconv>
#include <utility>

namespace tiktrend::sources {

bool json_node::boolean() const noexcept {
    return is(json_kind::boolean) && raw() == "true";
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
        out += raw();
        return;
    case json_kind::number:
        out += is_storable_number(raw()) ? raw() : std::string_view{"null"};
        return;
    case json_kind::key: // never the kind of a node
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

bool is_storable_number(std::string_view t) noexcept {
    constexpr std::size_t most_bytes = 1000;
    constexpr int most = 308;
    if (t.size() > most_bytes) return false;
    const auto e = t.find_first_of("eE");
    if (e == std::string_view::npos) return true;
    t.remove_prefix(e + 1);
    if (t.starts_with('+')) t.remove_prefix(1);
    int exponent = 0;
    const auto [end, failure] = std::from_chars(t.data(), t.data() + t.size(), exponent);
    return failure == std::errc{} && exponent >= -most && exponent <= most;
}

bool is_json_number(std::string_view t) noexcept {
    std::size_t i = 0;
    const auto digits = [&] {
        const auto from = i;
        while (i < t.size() && t[i] >= '0' && t[i] <= '9')
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
