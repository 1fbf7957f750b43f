#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/postgres/router.hpp>

#include <functional>
#include <string>

namespace tiktrend::cli {

/// DATABASE_URL. Throws usage_error if it is unset or not a PostgreSQL URL.
std::string database_url();

/// Runs `work` on an event loop of its own and returns its exit code.
int run(task<int> work);

/// Runs `work` with a router to the primary (one connection), stopped afterwards whatever happens.
task<int> with_router(std::function<task<int>(postgres::router&)> work);

} // namespace tiktrend::cli
