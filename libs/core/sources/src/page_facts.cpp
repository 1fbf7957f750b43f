#include "page_facts.hpp"

#include "glob.hpp"
#include "values/web_address.hpp"

#include <algorithm>

namespace tiktrend::sources {
namespace {

bool is_empty_value(json_node node) {
    switch (node.kind()) {
    case json_kind::null:
        return true;
    case json_kind::string:
        return node.raw().empty();
    case json_kind::array:
    case json_kind::object:
        return node.size() == 0;
    default:
        return false;
    }
}

} // namespace

bool page_facts::holds(const condition& when) {
    if (when.page && state_.number != *when.page) return false;
    const auto in_range = [&](const auto& r) {
        return response_.status >= r.low && response_.status <= r.high;
    };
    if (!when.status.empty() && std::none_of(when.status.begin(), when.status.end(), in_range)) return false;
    if (when.content_type && !matches_glob(*when.content_type, trim_blanks(response_.content_type), true))
        return false;
    for (const auto& [name, glob] : when.headers)
        if (!matches_glob(glob, trim_blanks(header(name)), true)) return false;
    if (when.redirect_to && !redirects_to(*when.redirect_to)) return false;
    if (when.body_is_empty && !trim_blanks(response_.body).empty()) return false;
    if (when.is_not_json && documents_.is_body_json()) return false;
    if (when.body_matches && !when.body_matches->is_found_in(documents_.decoded())) return false;
    if (when.missing_document && documents_.status(*when.missing_document) == document_status::ok)
        return false;
    if (when.selected && !matches(*when.selected)) return false;
    if (when.missing_selected && matches(*when.missing_selected)) return false;
    return !when.value || holds(*when.value);
}

bool page_facts::matches(const selector& what) {
    const auto root = documents_.tree(rules_.tree);
    return root.exists() && documents_.page(rules_.tree).first(what, root).exists();
}

std::string_view page_facts::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : response_.headers)
        if (key == name) return value;
    return {};
}

std::string_view page_facts::link(std::string_view relation) const noexcept {
    for (const auto& [key, value] : response_.headers) {
        if (key != "link") continue;
        auto rest = value;
        while (true) {
            const auto open = rest.find('<');
            const auto close = rest.find('>', open == std::string_view::npos ? 0 : open);
            if (open == std::string_view::npos || close == std::string_view::npos) break;
            const auto target = rest.substr(open + 1, close - open - 1);
            rest.remove_prefix(close + 1);
            const auto parameters = rest.substr(0, std::min(rest.find(",<"), rest.find(", <")));
            for (const auto& form : {"rel=\"" + std::string{relation} + "\"", "rel=" + std::string{relation}})
                if (const auto at = parameters.find(form); at != std::string_view::npos) {
                    const auto end = at + form.size();
                    if (end == parameters.size() ||
                        std::string_view{"; ,"}.find(parameters[end]) != std::string_view::npos)
                        return target;
                }
        }
    }
    return {};
}

std::string page_facts::text_at(const paging_rule& pages, const paging_rule::place& place) {
    std::string scratch;
    if (const auto* way = std::get_if<path>(&place)) {
        const auto node = first_at(documents_.json(pages.document), *way);
        return node.kind() == json_kind::null || !node.is_scalar() ? std::string{}
                                                                   : std::string{node.text(scratch)};
    }
    if (const auto* h = std::get_if<header_source>(&place)) return std::string{trim_blanks(header(h->name))};
    if (const auto* what = std::get_if<selector>(&place)) {
        const auto root = documents_.tree(pages.tree);
        if (!root.exists()) return {};
        const auto node = documents_.page(pages.tree).first(*what, root);
        return node.exists() ? std::string{trim_blanks(value_of(*what, node))} : std::string{};
    }
    return {};
}

bool page_facts::holds(const value_test& test) {
    const auto from = documents_.json(test.document);
    if (!from.exists()) return false;
    const auto node = first_at(from, test.way);
    if (test.type == value_test::kind::is_missing) return !node.exists();
    if (!node.exists()) return false;
    switch (test.type) {
    case value_test::kind::is_null:
        return node.kind() == json_kind::null;
    case value_test::kind::is_empty_array:
        return node.is(json_kind::array) && node.size() == 0;
    case value_test::kind::is_empty:
        return is_empty_value(node);
    case value_test::kind::is_true:
        return node.boolean();
    case value_test::kind::is_false:
        return node.is(json_kind::boolean) && !node.boolean();
    default:
        break;
    }
    if (!node.is_scalar() || node.kind() == json_kind::null) return test.type == value_test::kind::not_equal;
    std::string scratch;
    const auto text = node.text(scratch);
    switch (test.type) {
    case value_test::kind::equals:
        return text == test.texts.front();
    case value_test::kind::not_equal:
        return text != test.texts.front();
    case value_test::kind::one_of:
        return std::find(test.texts.begin(), test.texts.end(), text) != test.texts.end();
    case value_test::kind::matches:
        return test.expression->is_found_in(text);
    default:
        return false;
    }
}

bool page_facts::redirects_to(std::string_view glob) const {
    if (!response_.requested_url.empty() && response_.requested_url != response_.url &&
        matches_glob(glob, response_.url))
        return true;
    if (response_.location.empty() || response_.status < 300 || response_.status > 399) return false;
    const auto target = page_address{response_.url}.resolve(response_.location);
    return matches_glob(glob, target ? std::string_view{*target} : response_.location);
}

} // namespace tiktrend::sources
