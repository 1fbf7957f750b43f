#pragma once
#include "cursor.hpp"

#include <tiktrend/catalog/product_query.hpp>
#include <tiktrend/http/message.hpp>

#include <string>

namespace tiktrend::gateway {

/// GET /products, understood: the query for the catalog and one text for all spellings of the same question.
struct product_request {
    catalog::product_query query;
    std::string canonical; ///< the query in a fixed order, percent-encoded; names the list in the cache,
                           ///< binds its cursors and is what its Link header says
    std::string cursor;    ///< as given; empty: the first page
};

/// Reads the parameters. Throws problems: 422 for unknown, repeated or wrong ones, a limit out of 1 … 100,
/// price_min above price_max, and a cursor that was not made for this list.
product_request read_product_request(const http::request& r, const cursor_signer& cursors);

/// The cursor of the next page.
std::string make_cursor(const cursor_signer& cursors, const product_request& request,
                        const catalog::keyset& next);

} // namespace tiktrend::gateway
