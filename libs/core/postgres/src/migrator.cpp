#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/timeout.hpp>
#include <tiktrend/postgres/migrator.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <exception>

namespace tiktrend::postgres {
namespace {

/// "tiktrend" in ASCII: the advisory lock that all runs on one database share. Do not change.
constexpr std::string_view try_lock = "SELECT pg_try_advisory_lock(8388353928833887844)";
constexpr std::string_view unlock = "SELECT pg_advisory_unlock(8388353928833887844)";

constexpr std::string_view find_table = "SELECT to_regclass('schema_migrations') IS NOT NULL";
constexpr std::string_view create_table = "CREATE TABLE IF NOT EXISTS schema_migrations ("
                                          "version integer CONSTRAINT schema_migrations_pkey PRIMARY KEY, "
                                          "name text NOT NULL, checksum text NOT NULL, "
                                          "applied_at timestamptz NOT NULL DEFAULT now())";
constexpr std::string_view read_table =
    "SELECT version, name, checksum FROM schema_migrations ORDER BY version";

bool is_name(std::string_view s) noexcept {
    return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

/// "007_add_index" → 7, 0 for anything else.
int version_of(std::string_view name) noexcept {
    int out = 0;
    const auto [at, ec] =
        std::from_chars(name.data(), name.data() + std::min<std::size_t>(name.size(), 3), out);
    const bool shaped = name.size() > 4 && ec == std::errc{} && at == name.data() + 3 && name[3] == '_';
    return shaped && is_name(name) ? out : 0;
}

bool in_transaction(std::string_view sql) noexcept {
    return !sql.starts_with("-- no-transaction");
}

/// Statements that end with a semicolon at the end of a line.
std::vector<std::string_view> split_statements(std::string_view sql) {
    std::vector<std::string_view> out;
    while (!sql.empty()) {
        const auto end = sql.find(";\n");
        const auto one = sql.substr(0, end == std::string_view::npos ? end : end + 1);
        if (one.find_first_not_of(" \n\t;") != std::string_view::npos) out.push_back(one);
        if (end == std::string_view::npos) break;
        sql.remove_prefix(end + 2);
    }
    return out;
}

task<void> lock(connection& on, std::chrono::milliseconds limit) {
    const auto deadline = std::chrono::steady_clock::now() + limit;
    // Asking again and again instead of waiting inside the server: a statement that waits there holds a
    // snapshot, and CREATE INDEX CONCURRENTLY of the run that has the lock would wait for it in turn.
    while (!(co_await on.query(try_lock)).front()[0].boolean()) {
        if (std::chrono::steady_clock::now() >= deadline)
            throw system_error(errc::timed_out, "another migration run holds the lock");
        co_await sleep_for(std::chrono::milliseconds{50});
    }
}

} // namespace

std::string migration_status::summary() const {
    if (!problems.empty()) return fmt::format("schema has problems: {}", fmt::join(problems, "; "));
    if (!pending.empty())
        return fmt::format("schema is at version {} of {}, pending: {}", current, latest,
                           fmt::join(pending, ", "));
    return is_newer ? fmt::format("schema is at version {}, newer than {} known here", current, latest)
                    : fmt::format("schema is at version {}", current);
}

connection_options migrator::settings(std::string url) {
    connection_options out;
    out.url = std::move(url);
    out.application_name = "tiktrend-migrate";
    out.statement_timeout = out.idle_transaction_timeout = out.response_timeout =
        std::chrono::milliseconds{0};
    out.prepare = prepare_mode::off;
    return out;
}

migrator::migrator(std::span<const embedded_file> files, migrator_options options)
    : options_{std::move(options)} {
    std::map<int, migration> found;
    const auto refuse = [](std::string_view file, const char* why) {
        throw std::invalid_argument(fmt::format("migration {}: {}", file, why));
    };
    for (const auto& file : files) {
        const bool up = file.name.ends_with(".up.sql");
        const bool down = file.name.ends_with(".down.sql");
        if (!up && !down) refuse(file.name, "expected .up.sql or .down.sql");
        const auto name = file.name.substr(0, file.name.size() - (up ? 7 : 9));
        const int version = version_of(name);
        if (version < 1) refuse(file.name, "expected NNN_verb_noun with a number from 001");
        auto& m = found[version];
        if (!m.name.empty() && m.name != name) refuse(file.name, "another file has this number");
        m.version = version;
        m.name = name;
        (up ? m.up : m.down) = file.text;
    }
    int expected = 1;
    for (auto& [version, m] : found) {
        if (version != expected++) refuse(m.name, "a number before it is missing");
        if (m.up.empty() || m.down.empty()) refuse(m.name, "needs an up and a down file");
        m.checksum = sha256_hex(m.up);
        m.up_in_transaction = in_transaction(m.up);
        m.down_in_transaction = in_transaction(m.down);
        migrations_.push_back(std::move(m));
    }
}

task<std::map<int, migrator::applied>> migrator::read_applied(connection& on) const {
    std::map<int, applied> out;
    if (!(co_await on.query(find_table)).front()[0].boolean()) co_return out;
    const auto table = co_await on.query(read_table);
    for (const auto r : table)
        out[static_cast<int>(r[0].int64())] = {std::string{r[1].text()}, std::string{r[2].text()}};
    co_return out;
}

migration_status migrator::compare(const std::map<int, applied>& have) const {
    migration_status out;
    out.latest = migrations_.empty() ? 0 : migrations_.back().version;
    out.current = have.empty() ? 0 : have.rbegin()->first;
    out.is_newer = out.current > out.latest;
    for (const auto& m : migrations_) {
        const auto it = have.find(m.version);
        if (it == have.end())
            out.pending.push_back(m.name);
        else if (it->second.checksum != m.checksum)
            out.problems.push_back(
                fmt::format("{} was changed after it was applied as {}", m.name, it->second.name));
    }
    return out;
}

task<migration_status> migrator::status(connection& on) const {
    co_return compare(co_await read_applied(on));
}

task<void> migrator::apply(connection& on, std::string_view sql, bool as_transaction,
                           std::string record) const {
    const auto limit = options_.lock_timeout.count();
    if (as_transaction) {
        // Several statements in one message are one transaction, which ends with the record.
        co_await on.execute(fmt::format("SET LOCAL lock_timeout = {};\n{}\n;\n{}", limit, sql, record));
        co_return;
    }
    co_await on.execute(fmt::format("SET lock_timeout = {}", limit));
    for (const auto statement : split_statements(sql))
        co_await on.execute(statement);
    co_await on.execute(record);
    co_await on.execute("RESET lock_timeout");
}

task<void> migrator::apply_pending(connection& on, std::vector<std::string>& done) const {
    co_await on.execute(create_table);
    const auto have = co_await read_applied(on);
    if (const auto s = compare(have); !s.problems.empty()) throw std::runtime_error(s.summary());
    for (const auto& m : migrations_) {
        if (have.contains(m.version)) continue;
        // Names and checksums are of [a-z0-9_] only, so quoting cannot go wrong.
        co_await apply(
            on, m.up, m.up_in_transaction,
            fmt::format("INSERT INTO schema_migrations (version, name, checksum) VALUES ({}, '{}', '{}')",
                        m.version, m.name, m.checksum));
        options_.log.info("migration_applied", {{"name", m.name}});
        done.push_back(m.name);
    }
}

task<void> migrator::revert_to(connection& on, int version, std::vector<std::string>& done) const {
    const auto have = co_await read_applied(on);
    if (!have.empty() && have.rbegin()->first > version && compare(have).is_newer)
        throw std::runtime_error("the schema is newer than this program; revert with the newer one");
    for (auto it = migrations_.rbegin(); it != migrations_.rend() && it->version > version; ++it) {
        if (!have.contains(it->version)) continue;
        co_await apply(on, it->down, it->down_in_transaction,
                       fmt::format("DELETE FROM schema_migrations WHERE version = {}", it->version));
        options_.log.info("migration_reverted", {{"name", it->name}});
        done.push_back(it->name);
    }
}

task<std::vector<std::string>>
migrator::locked(connection& on, std::function<task<void>(std::vector<std::string>&)> work) const {
    co_await lock(on, options_.run_timeout);
    std::vector<std::string> done;
    std::exception_ptr failure;
    try {
        co_await work(done);
    } catch (...) {
        failure = std::current_exception();
    }
    if (on.is_open()) co_await on.query(unlock); // a closed session has let go by itself
    if (failure) std::rethrow_exception(failure);
    co_return done;
}

task<std::vector<std::string>> migrator::up(connection& on) const {
    return locked(on, [this, &on](std::vector<std::string>& done) { return apply_pending(on, done); });
}

task<std::vector<std::string>> migrator::down(connection& on, int version) const {
    return locked(
        on, [this, &on, version](std::vector<std::string>& done) { return revert_to(on, version, done); });
}

} // namespace tiktrend::postgres
