#include "follow_links.hpp"

#include "glob.hpp"

#include <tiktrend/base/json_text.hpp>

#include <algorithm>

namespace tiktrend::sources {

std::int64_t link_collector::add(const follow_rule& rule, std::vector<follow_up>& out) {
    std::int64_t stopped = 0;
    const auto take = [&](std::string_view link) {
        if (static_cast<std::int64_t>(out.size()) >= source_.limits.max_items) {
            ++stopped;
            return false;
        }
        auto url = address_.resolve(link);
        if (url && is_wanted(rule, *url) && seen_.insert(*url).second)
            out.push_back(made_of(rule, std::move(*url)));
        return true;
    };
    if (const auto* what = std::get_if<selector>(&rule.from)) {
        if (const auto root = documents_.tree(rule.document); root.exists())
            documents_.page(rule.document).select(*what, root, [&](html_node n) {
                return take(trim_blanks(value_of(*what, n)));
            });
        return stopped;
    }
    std::string scratch;
    for_each_at(documents_.json(rule.document), std::get<path>(rule.from),
                [&](json_node n) { return !n.is(json_kind::string) || take(n.text(scratch)); });
    return stopped;
}

follow_up link_collector::made_of(const follow_rule& rule, std::string url) const {
    follow_up out{rule.source, "{", std::move(url)};
    append_json_string(out.filters, rule.input);
    out.filters += ':';
    append_json_string(out.filters, out.url);
    append_inputs(out.filters, rule.hand_on);
    out.filters += '}';
    return out;
}

/// Those that have a value, as members of an object that has some already.
void link_collector::append_inputs(std::string& out, const std::vector<std::string>& wanted) const {
    for (const auto& name : wanted) {
        const auto value = inputs_.find(name);
        if (!value) continue;
        const auto field = std::find_if(source_.inputs.begin(), source_.inputs.end(),
                                        [&](const auto& i) { return i.name == name; });
        out += ',';
        append_json_string(out, name);
        out += ':';
        if (field->type == input_type::integer || field->type == input_type::boolean)
            out += *value;
        else
            append_json_string(out, *value);
    }
}

bool link_collector::is_wanted(const follow_rule& rule, const std::string& url) const {
    if (rule.matching_input) {
        const auto glob = inputs_.find(*rule.matching_input);
        if (glob && !matches_glob(*glob, url)) return false;
    }
    return rule.matching.empty() || std::any_of(rule.matching.begin(), rule.matching.end(),
                                                [&](const auto& g) { return matches_glob(g, url); });
}

} // namespace tiktrend::sources
