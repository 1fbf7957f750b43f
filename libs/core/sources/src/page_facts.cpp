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
    if (when.redirect_to && !redirects_to(*when.redirect_to)) return false;
    if (when.body_is_empty && !trim_blanks(response_.body).empty()) return false;
    if (when.is_not_json && json() == json_status::ok) return false;
    if (when.missing_document && json() == json_status::ok) return false;
    return !when.value || holds(*when.value);
}

bool page_facts::holds(const value_test& test) {
    const auto from = root(test.document);
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

json_status page_facts::json() {
    if (!json_) json_ = document_.parse(response_.body);
    return *json_;
}

json_node page_facts::root(std::size_t) {
    return json() == json_status::ok ? document_.root() : json_node{};
}

bool page_facts::looks_like_markup() const noexcept {
    if (trim_blanks(response_.body).starts_with('<')) return true;
    return matches_glob("*html*", response_.content_type, true);
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
