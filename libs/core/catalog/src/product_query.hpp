#pragma once
#include <tiktrend/catalog/product_query.hpp>
#include <tiktrend/postgres/params.hpp>

#include <string>

namespace tiktrend::catalog::detail {

/// A SELECT of products with its parameters.
struct list_statement {
    std::string sql;
    postgres::params values;
};

/// The products whose sort value is known (`nulls` = false) or is NULL, after `after` if given, at most
/// `limit`. The two parts are separate statements so that each walks an index from where the last page ended.
/// Columns: those of product_columns, then the keyset value.
list_statement build_list(const product_query& query, bool nulls, const std::optional<keyset>& after,
                          int limit);

/// One product by its id ($1).
const std::string& product_statement();
/// History of product $1, at most $2 rows, before the time $3 (ms, or NULL).
std::string_view history_statement() noexcept;

/// True if products without a sort value can be among those that the query wants.
bool may_lack_value(const product_query& query) noexcept;

/// Select list that read_product (product_store.cpp) takes apart; tables products p, categories c.
extern const std::string_view product_columns;
inline constexpr int product_column_count = 25;

} // namespace tiktrend::catalog::detail
