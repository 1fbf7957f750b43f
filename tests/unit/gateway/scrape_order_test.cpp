#include "scrape_order.hpp"

#include <tiktrend/base/error.hpp>
#include <tiktrend/postgres/error.hpp>
#include <tiktrend/queue/error.hpp>
#include <tiktrend/redis/error.hpp>

#include <boost/asio/error.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;
using gateway::is_certainly_not_done;

TEST_CASE("a use is given back only for work that cannot have happened", "[unit][gateway]") {
    for (const error_code& e : std::initializer_list<error_code>{
             redis::errc::not_connected, redis::errc::too_many_waiting, redis::errc::refused,
             redis::errc::not_ready, postgres::errc::not_connected, postgres::errc::pool_timeout,
             postgres::errc::conflict, postgres::errc::cancelled, postgres::errc::exhausted,
             postgres::errc::statement_failed, postgres::errc::read_only, queue::errc::job_not_in_state,
             queue::errc::data_too_large, errc::overloaded}) {
        CAPTURE(e);
        CHECK(is_certainly_not_done(e));
    }
    for (const error_code& e : std::initializer_list<error_code>{
             redis::errc::connection_lost, redis::errc::timed_out, redis::errc::protocol_error,
             postgres::errc::connection_lost, postgres::errc::timed_out, postgres::errc::protocol_error,
             errc::timed_out, errc::stopped, error_code{boost::asio::error::operation_aborted},
             error_code{boost::asio::error::eof}}) {
        CAPTURE(e);
        CHECK_FALSE(is_certainly_not_done(e));
    }
}
