#include <tiktrend/postgres/error.hpp>

namespace tiktrend::postgres {
namespace {

class postgres_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.postgres"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::not_connected:
            return "no connection to PostgreSQL";
        case errc::connection_lost:
            return "the connection to PostgreSQL was lost";
        case errc::pool_timeout:
            return "no PostgreSQL connection became free in time";
        case errc::timed_out:
            return "PostgreSQL did not answer in time";
        case errc::read_only:
            return "the PostgreSQL primary is read-only";
        case errc::conflict:
            return "rolled back because of a concurrent transaction";
        case errc::cancelled:
            return "the statement was cancelled";
        case errc::exhausted:
            return "PostgreSQL is out of resources";
        case errc::statement_failed:
            return "the statement failed";
        case errc::pipeline_aborted:
            return "an earlier statement of the batch failed";
        case errc::protocol_error:
            return "unexpected answer from PostgreSQL";
        case errc::bad_url:
            return "not a PostgreSQL connection URL";
        }
        return "unknown error";
    }
};

} // namespace

const boost::system::error_category& category() noexcept {
    static const postgres_category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), category()};
}

bool is_unavailable(const error_code& e) noexcept {
    if (e.category() != category()) return false;
    switch (static_cast<errc>(e.value())) {
    case errc::not_connected:
    case errc::connection_lost:
    case errc::pool_timeout:
    case errc::timed_out:
    case errc::read_only:
    case errc::cancelled:
    case errc::exhausted:
    case errc::protocol_error:
        return true;
    default:
        return false;
    }
}

errc classify(std::string_view sqlstate) noexcept {
    // 26000 and 42P05: a pooler between us gave the session's prepared statements to somebody else. The
    // transaction was rolled back, and the connection has stopped preparing, so that the next try can
    // succeed.
    if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "26000" || sqlstate == "42P05")
        return errc::conflict;
    if (sqlstate.starts_with("08") || sqlstate == "57P01" || sqlstate == "57P02" || sqlstate == "57P03" ||
        sqlstate == "25P03")
        return errc::connection_lost;
    if (sqlstate == "25006") return errc::read_only;
    if (sqlstate == "57014") return errc::cancelled;
    if (sqlstate.starts_with("53")) return errc::exhausted;
    return errc::statement_failed;
}

server_error::server_error(std::string sqlstate, std::string message, std::string detail,
                           std::string constraint)
    : system_error{classify(sqlstate), sqlstate + " " + message}, sqlstate_{std::move(sqlstate)},
      message_{std::move(message)}, detail_{std::move(detail)}, constraint_{std::move(constraint)} {}

} // namespace tiktrend::postgres
