// A batch on a connection: what is sent, prepared statements, and the answers in order.
#include "connection_impl.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::postgres {

void connection::impl::send_step(const batch::step& s, flight& f) {
    if (s.sql.empty()) {
        if (!PQpipelineSync(conn)) throw_lost();
        f.order.push_back(expected::sync);
        f.section = f.preparing.size();
        return;
    }
    const auto& values = s.values;
    scratch_values.clear();
    scratch_lengths.clear();
    scratch_formats.clear();
    scratch_types.clear();
    for (const auto& v : values.values_) {
        scratch_values.push_back(values.data(v));
        scratch_lengths.push_back(v.length);
        scratch_formats.push_back(v.format);
        scratch_types.push_back(v.oid);
    }
    const int n = static_cast<int>(values.size());
    const auto* name = values.plans_each_time_ ? nullptr : statement_name(s.sql, n, f);
    const int sent =
        name ? PQsendQueryPrepared(conn, name, n, scratch_values.data(), scratch_lengths.data(),
                                   scratch_formats.data(), 0)
             : PQsendQueryParams(conn, std::string{s.sql}.c_str(), n, scratch_types.data(),
                                 scratch_values.data(), scratch_lengths.data(), scratch_formats.data(), 0);
    if (!sent) throw_lost();
    f.order.push_back(expected::answer);
}

const char* connection::impl::statement_name(std::string_view sql, int parameters, flight& f) {
    if (options.prepare == prepare_mode::off || pooler_found) return nullptr;
    if (const auto it = prepared.find(sql); it != prepared.end()) {
        // What an earlier transaction of this batch prepares is there only if that one does not fail.
        const auto earlier = f.preparing.begin() + static_cast<std::ptrdiff_t>(f.section);
        return std::find(f.preparing.begin(), earlier, sql) == earlier ? it->second.c_str() : nullptr;
    }
    if (prepared.size() >= options.max_prepared) return nullptr;
    const auto it = prepared.emplace(sql, fmt::format("tt{}", ++last_name)).first;
    if (!PQsendPrepare(conn, it->second.c_str(), it->first.c_str(), parameters, scratch_types.data()))
        throw_lost();
    f.order.push_back(expected::prepared);
    f.preparing.push_back(it->first);
    return it->second.c_str();
}

task<rows> connection::impl::read_answer(bool& good, std::optional<server_error>& first) {
    rows out;
    good = false;
    for (;;) {
        auto r = co_await next_result();
        if (!r) {
            // NULL for ever is how libpq tells that the connection died before this answer.
            if (PQstatus(conn) == CONNECTION_BAD) throw_lost_with(first);
            co_return out;
        }
        switch (PQresultStatus(r.get())) {
        case PGRES_COMMAND_OK:
        case PGRES_TUPLES_OK:
        case PGRES_EMPTY_QUERY:
            good = true;
            out = rows{r.release()};
            break;
        case PGRES_PIPELINE_ABORTED:
            break;
        case PGRES_FATAL_ERROR:
            note_error(r.get(), first);
            break;
        default:
            throw system_error(errc::protocol_error, PQresStatus(PQresultStatus(r.get())));
        }
    }
}

task<void> connection::impl::read_sync(std::optional<server_error>& first) {
    bool failed = false;
    for (;;) {
        const auto r = co_await next_result();
        if (!r) {
            if (PQstatus(conn) == CONNECTION_BAD) throw_lost_with(first);
            if (!std::exchange(failed, false))
                throw system_error(errc::protocol_error, "no answer to a sync");
            continue;
        }
        const auto status = PQresultStatus(r.get());
        if (status == PGRES_PIPELINE_SYNC) co_return;
        // An error at commit (deferred constraint, serialization failure); its NULL follows, then the
        // sync.
        if (status != PGRES_FATAL_ERROR) throw system_error(errc::protocol_error, PQresStatus(status));
        note_error(r.get(), first);
        failed = true;
    }
}

task<connection::impl::outcome> connection::impl::exchange(const batch::step* steps, std::size_t count,
                                                           std::size_t statements,
                                                           const std::function<void()>& sent) {
    require_open();
    operation op{*this, options.response_timeout};
    if (!PQenterPipelineMode(conn)) throw_lost();
    flight f;
    f.order.reserve(count + 2);
    for (std::size_t i = 0; i < count; ++i)
        send_step(steps[i], f);
    if (f.order.empty() || f.order.back() != expected::sync) send_step({}, f);
    co_await flush();
    if (sent) sent();

    outcome out;
    out.answers.reserve(statements);
    auto next_preparing = f.preparing.begin();
    for (const auto what : f.order) {
        bool good = false;
        switch (what) {
        case expected::sync:
            co_await read_sync(out.error);
            break;
        case expected::answer:
            out.answers.push_back(co_await read_answer(good, out.error));
            break;
        case expected::prepared: {
            const auto sql = *next_preparing++;
            co_await read_answer(good, out.error);
            if (!good) prepared.erase(prepared.find(sql));
            break;
        }
        }
    }
    if (!PQexitPipelineMode(conn)) throw_lost();
    op.end();
    if (out.error) after_error(*out.error);
    co_return out;
}

void connection::impl::after_error(const server_error& e) {
    if (e.sqlstate() == "26000" || e.sqlstate() == "42P05") {
        pooler_found = true;
        prepared.clear();
    }
    // 0A000: "cached plan must not change result type" after a migration. New connections plan anew.
    if (e.code() == errc::connection_lost || e.code() == errc::read_only || e.sqlstate() == "0A000") close();
}

} // namespace tiktrend::postgres
