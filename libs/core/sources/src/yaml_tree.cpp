#include "yaml_tree.hpp"

#include <tiktrend/base/json_text.hpp>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <charconv>
#include <istream>
#include <streambuf>

namespace tiktrend::sources {
namespace {

/// Thrown inside the handler to leave yaml-cpp; never leaves load_yaml().
struct refused {
    YAML::Mark mark;
    std::string message;
};

/// Lets yaml-cpp read a string_view without a copy.
class view_buffer final : public std::streambuf {
public:
    explicit view_buffer(std::string_view text) {
        char* begin = const_cast<char*>(text.data()); // streambuf asks for it; nothing writes
        setg(begin, begin, begin + text.size());
    }
};

class tree_builder final : public YAML::EventHandler {
public:
    std::unique_ptr<yaml_node> take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        refuse_anchor(mark, anchor);
        add(at(mark, yaml_node::kind::null));
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
        throw refused{mark, "aliases (*name) are not allowed: write the value out"};
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        auto node = at(mark, yaml_node::kind::scalar);
        node.is_plain = tag == "?";
        node.text = value;
        if (node.is_plain && (value == "~" || value == "null")) node.type = yaml_node::kind::null;
        add(std::move(node));
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, yaml_node::kind::sequence);
    }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value) override {
        open(mark, tag, anchor, yaml_node::kind::mapping);
    }
    void OnSequenceEnd() override { close(); }
    void OnMapEnd() override { close(); }

private:
    /// A container under construction, and for mappings the key that waits for its value.
    struct level {
        yaml_node node;
        bool has_key = false;
        std::string key;
        int key_line = 0;
        int key_column = 0;
    };

    static yaml_node at(const YAML::Mark& mark, yaml_node::kind type) {
        yaml_node node;
        node.type = type;
        node.line = mark.line + 1;
        node.column = mark.column + 1;
        return node;
    }

    static void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor)
            throw refused{mark, "anchors (&name) are not allowed: write the value out"};
    }

    static void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
        // "?" and "!" are what yaml-cpp gives for scalars without and with quotes
        if (!tag.empty() && tag != "?" && tag != "!")
            throw refused{mark, fmt::format("tags are not allowed: \"{}\"", excerpt(tag))};
    }

    void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, yaml_node::kind type) {
        refuse_anchor(mark, anchor);
        refuse_tag(mark, tag);
        if (!open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key)
            throw refused{mark, "a key must be plain text, not a list or a mapping"};
        if (open_.size() >= 64) throw refused{mark, "nested deeper than 64 levels"};
        open_.push_back(level{at(mark, type), false, {}, 0, 0});
    }

    void close() {
        auto node = std::move(open_.back().node);
        open_.pop_back();
        add(std::move(node));
    }

    void add(yaml_node node) {
        if (open_.empty()) {
            root_ = std::make_unique<yaml_node>(std::move(node));
            return;
        }
        auto& top = open_.back();
        if (top.node.is_sequence()) {
            top.node.items.push_back(std::move(node));
        } else if (top.has_key) {
            top.node.members.push_back({std::move(top.key), top.key_line, top.key_column, std::move(node)});
            top.has_key = false;
        } else {
            add_key(top, std::move(node));
        }
    }

    static void add_key(level& top, yaml_node node) {
        const YAML::Mark mark = [&] {
            YAML::Mark m;
            m.line = node.line - 1;
            m.column = node.column - 1;
            return m;
        }();
        if (!node.is_scalar() && !(node.is_null() && !node.text.empty()))
            throw refused{mark, "a key must be plain text"};
        constexpr std::size_t most_keys = 2000; // each is compared with all before it
        if (top.node.members.size() == most_keys)
            throw refused{mark, fmt::format("more than {} keys in one mapping", most_keys)};
        if (const auto* earlier = top.node.find(node.text); earlier != nullptr)
            throw refused{mark, fmt::format("key \"{}\" is given twice, first on line {}", excerpt(node.text),
                                            earlier->line)};
        top.has_key = true;
        top.key = std::move(node.text);
        top.key_line = node.line;
        top.key_column = node.column;
    }

    std::vector<level> open_;
    std::unique_ptr<yaml_node> root_;
};

} // namespace

const yaml_node* yaml_node::find(std::string_view key) const noexcept {
    for (const auto& m : members)
        if (m.key == key) return &m.value;
    return nullptr;
}

std::string yaml_node::describe() const {
    switch (type) {
    case kind::null:
        return "nothing";
    case kind::scalar:
        return fmt::format("\"{}\"", excerpt(text));
    case kind::sequence:
        return "a list";
    case kind::mapping:
        return "a mapping";
    }
    return "nothing";
}

std::unique_ptr<yaml_node> load_yaml(std::string_view file_name, std::string_view text,
                                     std::vector<definition_error>& errors) {
    const auto fail = [&](int line, int column, std::string message) {
        errors.push_back({std::string{file_name}, line, column, {}, std::move(message)});
        return nullptr;
    };
    if (text.size() > max_definition_bytes)
        return fail(
            0, 0,
            fmt::format("the file has {} bytes; at most {} are read", text.size(), max_definition_bytes));
    if (text.find('\0') != std::string_view::npos || !is_valid_utf8(text))
        return fail(0, 0, "the file is not UTF-8 text");
    try {
        view_buffer buffer{text};
        std::istream stream{&buffer};
        YAML::Parser parser{stream};
        tree_builder first;
        if (!parser.HandleNextDocument(first)) return fail(0, 0, "the file is empty");
        auto root = first.take();
        tree_builder second;
        if (parser.HandleNextDocument(second)) {
            const auto more = second.take();
            return fail(more ? more->line : 0, more ? more->column : 0,
                        "a file holds one document; this is a second one");
        }
        return root;
    } catch (const refused& r) {
        return fail(r.mark.line + 1, r.mark.column + 1, r.message);
    } catch (const YAML::Exception& e) {
        return fail(e.mark.line + 1, e.mark.column + 1, fmt::format("not YAML: {}", e.msg));
    }
}

std::optional<std::int64_t> to_integer(std::string_view text) noexcept {
    std::int64_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
    return value;
}

std::string excerpt(std::string_view text, std::size_t most) {
    std::string out{text.substr(0, most)};
    if (text.size() > most) {
        while (!out.empty() && (static_cast<unsigned char>(text[out.size()]) & 0xC0) == 0x80)
            out.pop_back();
        out += "…";
    }
    for (auto& c : out)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    return out;
}

} // namespace tiktrend::sources
