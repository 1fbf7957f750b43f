#pragma once
#include "product_cache.hpp"

#include <tiktrend/http/message.hpp>
#include <tiktrend/http/problem.hpp>

#include <cstdint>
#include <string>

namespace tiktrend::gateway {

/// 200 in the coding that the client takes, or 304 when it has this very answer. Throws problem 406 when it
/// takes none.
http::response answer_cached(const http::request& r, const product_cache::answer& a);

/// An answer that passed the cache by (`bypass`), compressed where that is worth it.
product_cache::answer uncached_answer(std::string body);

/// The path parameter `id`; throws no_such_product() for what cannot be one.
std::int64_t product_id_of(const http::request& r);
http::problem no_such_product();

} // namespace tiktrend::gateway
