#pragma once
// A JSON text as a flat, lossless index: numbers keep their own digits, strings stay where they are until
// they are wanted. simdjson finds the tokens (its first stage: structure, quotes, escapes, UTF-8); the walk
// over them is ours, because both of its own second stages lose what prices and ids need: numbers become 64
// bits or doubles, and a lone surrogate or a number beyond range refuses the whole document.
#include <tiktrend/sources/page.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::sources {

enum class json_kind : std::uint8_t { null, boolean, number, string, array, object, key };

class json_document;

/// One value of a document. A small handle; valid until the document parses again or dies. The default one is
/// "nothing here", which answers like null.
class json_node {
public:
    json_node() noexcept = default;

    bool exists() const noexcept { return document_ != nullptr; }
    json_kind kind() const noexcept;
    bool is(json_kind k) const noexcept { return exists() && kind() == k; }
    bool is_scalar() const noexcept { return kind() != json_kind::array && kind() != json_kind::object; }
    bool boolean() const noexcept; ///< false unless the value is true

    /// Number: its token. String: what stands between the quotes, still escaped. true, false, null: the word.
    std::string_view raw() const noexcept;
    /// Text of a scalar: strings unescaped (into `scratch` when they have escapes), the others as raw().
    std::string_view text(std::string& scratch) const;

    /// Elements of an array, members of an object; 0 for scalars.
    std::size_t size() const noexcept;
    /// The first member of that name; nothing if there is none or this is no object.
    json_node member(std::string_view key) const noexcept;
    /// The same. `hint` remembers where the member stood, which is where it stands in the next object of the
    /// same shape.
    json_node member(std::string_view key, std::uint32_t& hint) const noexcept;
    /// Element `index`, counted from the end when negative; nothing if there is none or this is no array.
    /// O(index).
    json_node element(std::int64_t index) const noexcept;

    /// Calls visit(json_node) for each element (arrays) or value (objects) until it returns false. False if
    /// it was stopped.
    template <class Visit>
    bool each_value(Visit&& visit) const;
    /// Calls visit(std::string_view key, json_node) for each member until it returns false. A later duplicate
    /// of a key is passed too. `key` is valid during the call.
    template <class Visit>
    bool each_member(Visit&& visit) const;

    /// Values in it and itself: what append_to() would write.
    std::size_t value_count() const noexcept;
    /// Appends compact JSON text: strings without lone surrogates and U+0000, later duplicates of keys left
    /// out (which costs the square of the members where the document has duplicates: bound value_count()
    /// first).
    void append_to(std::string& out) const;

private:
    friend class json_document;
    json_node(const json_document* document, std::uint32_t index) noexcept
        : document_{document}, index_{index} {}

    const json_document* document_ = nullptr;
    std::uint32_t index_ = 0;
};

enum class json_status : std::uint8_t { ok, empty, bad };

class json_document {
public:
    static constexpr int max_depth = 128;

    json_document();
    ~json_document();
    json_document(json_document&&) noexcept;
    json_document& operator=(json_document&&) noexcept;

    /// Reads `text`, which must live as long as the nodes are used. A byte-order mark is skipped, UTF-16 with
    /// one is converted, invalid UTF-8 is repaired; other texts are not copied. Buffers are reused, and given
    /// back after a text that was large.
    json_status parse(std::string_view text);

    /// Why parse() said bad, in one line.
    const std::string& problem() const noexcept { return problem_; }
    const document_notes& notes() const noexcept { return notes_; }
    /// Nothing unless the last parse() said ok.
    json_node root() const noexcept;

private:
    friend class json_node;
    friend class json_walker;

    struct entry {
        std::uint32_t begin = 0;  ///< scalars: offset in text_
        std::uint32_t length = 0; ///< scalars: bytes; containers: elements or members
        std::uint32_t next =
            0; ///< index of the entry after this value and all in it; keys: index of their object
        json_kind kind = json_kind::null;
        bool is_escaped = false;
    };
    struct parser;

    std::string_view text_at(const entry& e) const noexcept { return {text_.data() + e.begin, e.length}; }
    std::string_view unescaped(const entry& e, std::string& scratch) const {
        return e.is_escaped ? unescape(text_at(e), scratch) : text_at(e);
    }
    static std::string_view unescape(std::string_view raw, std::string& scratch);
    json_status fail(std::string problem);

    std::unique_ptr<parser> parser_;
    std::string copy_; ///< of texts that had to be mended
    std::string_view text_;
    std::vector<entry> entries_; ///< as large as the largest text needed; only those of the root are in use
    bool has_root_ = false;
    document_notes notes_;
    std::string problem_;
};

/// True if `token` is a number by RFC 8259.
bool is_json_number(std::string_view token) noexcept;

/// True if a database keeps the number: jsonb's numbers end at some 131,000 digits, and a few bytes of
/// exponent are beyond that. Here: exponents of at most 308 (those of a double), tokens of at most 1,000
/// bytes.
bool is_storable_number(std::string_view token) noexcept;

// ---- what every field of every row asks, and the visitors

inline json_kind json_node::kind() const noexcept {
    return exists() ? document_->entries_[index_].kind : json_kind::null;
}

inline std::string_view json_node::raw() const noexcept {
    if (!exists() || !is_scalar()) return {};
    return document_->text_at(document_->entries_[index_]);
}

inline std::string_view json_node::text(std::string& scratch) const {
    if (!exists() || !is_scalar()) return {};
    return document_->unescaped(document_->entries_[index_], scratch);
}

inline json_node json_node::member(std::string_view key, std::uint32_t& hint) const noexcept {
    if (!is(json_kind::object)) return {};
    const auto& entries = document_->entries_;
    const auto at = index_ + hint;
    // With duplicates in the document the hint could be that of a later one.
    if (hint != 0 && at < entries[index_].next && document_->notes_.duplicate_keys == 0) {
        const auto& e = entries[at];
        if (e.kind == json_kind::key && e.next == index_ && !e.is_escaped && document_->text_at(e) == key)
            return {document_, at + 1};
    }
    const auto found = member(key);
    if (found.exists()) hint = found.index_ - 1 - index_;
    return found;
}

template <class Visit>
bool json_node::each_value(Visit&& visit) const {
    if (!exists() || is_scalar()) return true;
    const auto& entries = document_->entries_;
    const bool has_keys = kind() == json_kind::object;
    for (auto at = index_ + 1; at < entries[index_].next; at = entries[at].next) {
        if (has_keys) ++at;
        if (!visit(json_node{document_, at})) return false;
    }
    return true;
}

template <class Visit>
bool json_node::each_member(Visit&& visit) const {
    if (!is(json_kind::object)) return true;
    const auto& entries = document_->entries_;
    std::string scratch;
    for (auto at = index_ + 1; at < entries[index_].next; at = entries[at].next) {
        const auto key = document_->unescaped(entries[at], scratch);
        ++at;
        if (!visit(key, json_node{document_, at})) return false;
    }
    return true;
}

} // namespace tiktrend::sources
