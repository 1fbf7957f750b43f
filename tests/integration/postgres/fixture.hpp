#pragma once
#include <tiktrend/base/task_group.hpp>
#include <tiktrend/postgres/connection.hpp>
#include <tiktrend/postgres/pool.hpp>
#include <tiktrend/testing/postgres_server.hpp>
#include <tiktrend/testing/run_coroutine.hpp>

#include <catch2/catch.hpp>

namespace tiktrend::postgres {

using namespace std::chrono_literals;
using testing::postgres_server;
using testing::run_coroutine;

/// The shared cluster, up again if the last test left it down.
inline postgres_server& server() {
    auto& s = postgres_server::shared();
    if (!s.child().running()) s.start();
    return s;
}

inline connection_options options_for(const std::string& url) {
    connection_options out;
    out.url = url;
    return out;
}

inline pool_options pool_for(const std::string& url, std::size_t max_size = 4) {
    pool_options out;
    out.connection.url = url;
    out.max_size = max_size;
    out.reconnect_min = 20ms;
    out.reconnect_max = 100ms;
    return out;
}

/// The error code that `work` throws; none if it ends well.
template <class T>
task<error_code> code_of(task<T> work) {
    try {
        co_await std::move(work);
    } catch (const system_error& e) {
        co_return e.code();
    }
    co_return error_code{};
}

/// The SQLSTATE that `work` is refused with; empty if it ends well.
template <class T>
task<std::string> sqlstate_of(task<T> work) {
    try {
        co_await std::move(work);
    } catch (const server_error& e) {
        co_return e.sqlstate();
    }
    co_return std::string{};
}

/// Sessions of the database, but those that ask.
inline int sessions(std::string_view database) {
    return std::stoi(server().execute("postgres", "SELECT count(*) FROM pg_stat_activity WHERE datname = '" +
                                                      std::string{database} + "'"));
}

} // namespace tiktrend::postgres
