#include <tiktrend/base/digest.hpp>
#include <tiktrend/cache/key.hpp>

namespace tiktrend::cache {
namespace {

constexpr std::size_t longest_text = 200;

std::string shortened(std::string_view text) {
    if (text.size() <= longest_text) return std::string{text};
    return "sha256-" + sha256_hex(text);
}

std::string join(std::string_view prefix, std::string_view scope, std::string_view kind,
                 std::string_view text = {}) {
    std::string out;
    out.reserve(prefix.size() + scope.size() + kind.size() + text.size() + 3);
    out.append(prefix).append("{").append(scope).append("}:").append(kind).append(text);
    return out;
}

constexpr std::string_view value_prefix = "cache:v:";

} // namespace

std::string era_key(std::string_view scope) {
    return join(invalidation_prefix, scope, "era");
}
std::string lists_guard_key(std::string_view scope) {
    return join(invalidation_prefix, scope, "lists");
}
std::string one_guard_key(std::string_view scope, std::string_view id) {
    return join(invalidation_prefix, scope, "one:", shortened(id));
}
std::string list_value_key(std::string_view scope, std::string_view text) {
    return join(value_prefix, scope, "list:", shortened(text));
}
std::string one_value_key(std::string_view scope, std::string_view id) {
    return join(value_prefix, scope, "one:", shortened(id));
}
std::string one_old_key(std::string_view scope, std::string_view id) {
    return join(value_prefix, scope, "old:", shortened(id));
}

key key::list(std::string_view scope, std::string_view canonical_filter) {
    key k;
    k.is_list_ = true;
    k.scope_ = scope;
    k.value_ = list_value_key(scope, canonical_filter);
    k.guard_ = lists_guard_key(scope);
    k.era_ = era_key(scope);
    return k;
}

key key::one(std::string_view scope, std::string_view id) {
    key k;
    k.scope_ = scope;
    k.value_ = one_value_key(scope, id);
    k.guard_ = one_guard_key(scope, id);
    k.old_ = one_old_key(scope, id);
    k.era_ = era_key(scope);
    return k;
}

} // namespace tiktrend::cache
