#include "structured/microdata.hpp"

#include "json_object_writer.hpp"
#include "values/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tiktrend::sources {
namespace {

constexpr int most_levels = 12;
constexpr std::size_t most_items = 2000;
constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t most_value = 20'000;

/// Calls visit(word) for each of the words in an attribute.
template <class Visit>
void each_word(std::string_view text, Visit&& visit) {
    while (true) {
        const auto from = text.find_first_not_of(" \t\r\n\f");
        if (from == std::string_view::npos) return;
        text.remove_prefix(from);
        const auto end = std::min(text.find_first_of(" \t\r\n\f"), text.size());
        visit(text.substr(0, end));
        text.remove_prefix(end);
    }
}

std::string property_value(html_node node) {
    if (node.has_attribute("content")) return std::string{node.attribute("content")};
    const auto name = node.name();
    const char* attribute = nullptr;
    if (name == "a" || name == "area" || name == "link")
        attribute = "href";
    else if (name == "img" || name == "audio" || name == "embed" || name == "iframe" || name == "source" ||
             name == "track" || name == "video")
        attribute = "src";
    else if (name == "object")
        attribute = "data";
    else if (name == "data" || name == "meter")
        attribute = "value";
    else if (name == "time" && node.has_attribute("datetime"))
        attribute = "datetime";
    if (attribute != nullptr && !node.attribute(attribute).empty())
        return std::string{node.attribute(attribute)};
    if (name == "img" && node.has_attribute("data-src")) return std::string{node.attribute("data-src")};
    return node.text(most_value);
}

/// Blanks collapsed within lines; empty lines go.
std::string trimmed_lines(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = collapse_blanks(text.substr(0, end));
        if (!line.empty()) {
            if (!out.empty()) out += '\n';
            out += line;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

class reader {
public:
    explicit reader(html_document& page) : root_{page.root()} {
        for (auto at = root_; at.exists(); at = next_in_order(at, root_))
            if (const auto id = at.attribute("id"); !id.empty()) ids_.emplace(std::string{id}, at);
    }

    std::string run() {
        std::string out = "[";
        for (auto at = root_; at.exists(); at = next_in_order(at, root_)) {
            if (!at.has_attribute("itemscope") || at.has_attribute("itemprop")) continue;
            if (out.size() > 1) out += ',';
            item(out, at, 0);
            if (out.size() > most_bytes || items_ > most_items) break;
        }
        return out + "]";
    }

private:
    using properties = std::map<std::string, std::vector<std::string>, std::less<>>; ///< values as JSON text

    void item(std::string& out, html_node node, int level) {
        ++items_;
        properties found;
        std::set<_xmlNode*> visited{node.raw()};
        collect(node, node, found, level);
        each_word(node.attribute("itemref"), [&](std::string_view id) {
            const auto other = ids_.find(std::string{id});
            if (other != ids_.end() && visited.insert(other->second.raw()).second)
                collect_from(other->second, other->second, found, level);
        });
        json_object_writer object{out};
        std::vector<std::string> types;
        each_word(node.attribute("itemtype"), [&](std::string_view t) { types.emplace_back(t); });
        object.list("@type", types);
        if (const auto id = node.attribute("itemid"); !id.empty()) object.text("@id", id);
        for (const auto& [name, values] : found) {
            if (object.has(name)) continue;
            object.key(name);
            if (values.size() > 1) out += '[';
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (i > 0) out += ',';
                out += values[i];
            }
            if (values.size() > 1) out += ']';
        }
    }

    /// The properties below `node`, but not those of items within it.
    void collect(html_node node, html_node top, properties& out, int level) {
        for (auto at = next_in_order(node, top); at.exists();) {
            const bool is_item = at.has_attribute("itemscope");
            if (at.has_attribute("itemprop")) property(at, out, level);
            at = next_in_order(at, top, !is_item);
        }
    }
    void collect_from(html_node node, html_node top, properties& out, int level) {
        if (node.has_attribute("itemprop")) property(node, out, level);
        if (!node.has_attribute("itemscope")) collect(node, top, out, level);
    }

    void property(html_node node, properties& out, int level) {
        if (bytes_ > most_bytes || items_ > most_items) return;
        std::string value;
        if (node.has_attribute("itemscope")) {
            if (level >= most_levels) return;
            item(value, node, level + 1);
        } else {
            append_json_string(value, trimmed_lines(property_value(node)));
        }
        bytes_ += value.size();
        each_word(node.attribute("itemprop"), [&](std::string_view name) {
            auto& values = out[std::string{name}];
            if (values.size() < 200) values.push_back(value);
        });
    }

    html_node root_;
    std::map<std::string, html_node, std::less<>> ids_;
    std::size_t items_ = 0;
    std::size_t bytes_ = 0;
};

} // namespace

std::string microdata_json(html_document& page) {
    return page.root().exists() ? reader{page}.run() : std::string{"[]"};
}

} // namespace tiktrend::sources
