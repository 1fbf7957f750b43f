#include "structured/schema_choice.hpp"

#include "glob.hpp"
#include "structured/schema_item.hpp"

#include <algorithm>
#include <array>

namespace tiktrend::sources {
namespace {

constexpr std::size_t most_nodes = 20'000;
constexpr std::size_t most_candidates = 500;

struct candidate {
    json_node node;
    std::size_t type_rank = 0;
    bool is_related = false;
    bool is_listed = false;
    bool is_variant = false;
};

class finder {
public:
    finder(const std::vector<std::string>& types) : types_{types} {}

    void walk(json_node node, candidate flags) {
        if (++seen_ > most_nodes) return;
        if (node.is(json_kind::array)) {
            node.each_value([&](json_node n) {
                walk(n, flags);
                return seen_ < most_nodes;
            });
            return;
        }
        if (!node.is(json_kind::object)) return;
        if (node.size() > 1) remember(node);
        if (const auto rank = rank_of(node)) {
            auto found = flags;
            found.node = node;
            found.type_rank = *rank;
            if (candidates.size() < most_candidates) candidates.push_back(found);
        }
        node.each_member([&](std::string_view key, json_node value) {
            if (value.is_scalar()) return true;
            auto inner = flags;
            const auto name = bare_term(key);
            inner.is_related = flags.is_related || is_relation(name);
            inner.is_listed = flags.is_listed || name == "itemListElement";
            inner.is_variant =
                flags.is_variant || name == "hasVariant" || name == "isVariantOf" || name == "model";
            walk(value, inner);
            return seen_ < most_nodes;
        });
    }

    std::vector<candidate> candidates;
    node_index index;

private:
    static bool is_relation(std::string_view name) noexcept {
        constexpr std::array<std::string_view, 7> names{
            "isRelatedTo", "isSimilarTo",    "isAccessoryOrSparePartFor", "isConsumableFor", "review",
            "reviews",     "significantLink"};
        return std::find(names.begin(), names.end(), name) != names.end();
    }

    void remember(json_node node) {
        const auto id = node.member("@id");
        if (!id.is(json_kind::string)) return;
        std::string scratch;
        index.emplace(id.text(scratch), node);
    }

    std::optional<std::size_t> rank_of(json_node node) const {
        const auto found = types_of(node);
        if (types_.empty()) return found.empty() ? std::nullopt : std::optional<std::size_t>{0};
        std::optional<std::size_t> best;
        for (const auto& type : found)
            for (std::size_t i = 0; i < types_.size(); ++i)
                if (equals_ignoring_case(types_[i], type) && (!best || i < *best)) best = i;
        return best;
    }

    const std::vector<std::string>& types_;
    std::size_t seen_ = 0;
};

bool has_price(json_node node) {
    const auto offers = schema_member(node, "offers");
    return (offers.exists() && !offers.is_scalar() && offers.size() > 0) ||
           schema_member(node, "price").exists();
}

double score_of(const candidate& c, const page_hints& page, std::size_t position) {
    double out = 0;
    const auto url = schema_text(schema_member(c.node, "url"));
    const auto id = schema_text(c.node.member("@id"));
    for (const auto& address : {page.canonical, page.url})
        if (is_same_page(url, address) || is_same_page(id, address)) out += 6;
    out += 5 * likeness(schema_text(schema_member(c.node, "name")), page);
    if (has_price(c.node)) out += 3;
    if (schema_member(c.node, "hasVariant").exists()) out += 1;
    if (c.is_related) out -= 8;
    if (c.is_listed) out -= 4;
    if (c.is_variant) out -= 6;
    out -= 0.5 * static_cast<double>(std::min<std::size_t>(c.type_rank, 6));
    return out - 0.01 * static_cast<double>(position);
}

} // namespace

std::optional<std::string> choose_item(const std::vector<json_node>& documents,
                                       const std::vector<std::string>& types, const page_hints& page) {
    finder found{types};
    for (const auto document : documents)
        found.walk(document, {});
    const candidate* best = nullptr;
    double best_score = 0;
    std::size_t listed = 0;
    for (std::size_t i = 0; i < found.candidates.size(); ++i) {
        const auto& c = found.candidates[i];
        listed += c.is_listed;
        const auto score = score_of(c, page, i);
        if (best != nullptr && score <= best_score) continue;
        best = &c;
        best_score = score;
    }
    if (best == nullptr) return std::nullopt;
    const auto name = schema_text(schema_member(best->node, "name"));
    if (best->is_related || (best->is_listed && listed > 1 && likeness(name, page) < 0.99))
        return std::nullopt;
    std::string out;
    append_schema_item(out, best->node, found.index);
    return out;
}

} // namespace tiktrend::sources
