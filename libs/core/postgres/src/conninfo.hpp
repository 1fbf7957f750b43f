#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/connection.hpp>

#include <string>
#include <utility>
#include <vector>

namespace tiktrend::postgres::detail {

/// Keyword and value pairs for PQconnectStartParams(…, expand_dbname = 1); later ones win.
using conninfo = std::vector<std::pair<std::string, std::string>>;

/// Our settings, then the URL, then its host names replaced by their addresses: PQconnectStart would resolve
/// them in a blocking way. Throws errc::bad_url, errc::not_connected if no host name can be resolved.
task<conninfo> prepare_conninfo(const connection_options& options);

} // namespace tiktrend::postgres::detail
