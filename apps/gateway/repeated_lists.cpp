#include "repeated_lists.hpp"

namespace tiktrend::gateway {
namespace {

std::string name_of(const product_request& r) {
    return r.cursor.empty() ? r.canonical : r.canonical + "&cursor=" + r.cursor;
}

} // namespace

repeated_lists::list::list(product_request r)
    : request{std::move(r)}, key{product_cache::list_key(name_of(request))} {}

repeated_lists::list_ptr repeated_lists::find(std::string_view query) const {
    const auto it = by_query_.find(query);
    return it == by_query_.end() ? nullptr : it->second;
}

repeated_lists::list_ptr repeated_lists::remember(std::string_view query, product_request request) {
    auto fresh = std::make_shared<list>(std::move(request));
    if (query.size() > longest) return fresh;
    if (by_query_.size() >= most) by_query_.clear();
    by_query_.insert_or_assign(std::string{query}, fresh);
    return fresh;
}

} // namespace tiktrend::gateway
