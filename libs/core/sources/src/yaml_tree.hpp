#pragma once
// A definition file as a tree that remembers where everything stands. yaml-cpp reads; this keeps what its own
// tree forgets: positions of keys, whether a scalar was quoted, and that anchors, aliases, tags and duplicate
// keys were there at all.
#include <tiktrend/sources/definition.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::sources {

struct yaml_node {
    enum class kind : std::uint8_t { null, scalar, sequence, mapping };
    struct member;

    yaml_node::kind type = kind::null;
    bool is_plain = false; ///< scalar without quotes
    int line = 0;
    int column = 0;
    std::string text;             ///< scalar as written, never guessed at (no yes/no, no 010)
    std::vector<yaml_node> items; ///< sequence
    std::vector<member> members;  ///< mapping, in file order

    bool is_null() const noexcept { return type == kind::null; }
    bool is_scalar() const noexcept { return type == kind::scalar; }
    bool is_sequence() const noexcept { return type == kind::sequence; }
    bool is_mapping() const noexcept { return type == kind::mapping; }
    /// Null if this is no mapping or has no such key. Lives as long as this node.
    const yaml_node* find(std::string_view key) const noexcept;
    /// "text \"abc\"", "a list", "a mapping", "nothing": for error messages.
    std::string describe() const;
};

struct yaml_node::member {
    std::string key;
    int line = 0;
    int column = 0;
    yaml_node value;
};

/// The tree of the one document in `text`, or null after adding to `errors`.
std::unique_ptr<yaml_node> load_yaml(std::string_view file_name, std::string_view text,
                                     std::vector<definition_error>& errors);

/// The whole of `text` as a decimal integer.
std::optional<std::int64_t> to_integer(std::string_view text) noexcept;

/// `text` for a message: cut to `most` bytes at a character boundary, line breaks shown as spaces.
std::string excerpt(std::string_view text, std::size_t most = 80);

} // namespace tiktrend::sources
