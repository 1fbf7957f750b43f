#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/embedded.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/postgres/connection.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace tiktrend::postgres {

struct migrator_options {
    migrator_options() {}
    std::chrono::milliseconds lock_timeout{
        5000}; ///< a migration that waits longer for a table lock fails and is rolled back
    std::chrono::milliseconds run_timeout{
        60'000}; ///< how long to wait for another run that holds the advisory lock
    logger log;
};

/// What the database has and what it should have.
struct migration_status {
    int current = 0;                   ///< highest version applied; 0: none
    int latest = 0;                    ///< highest version known to this program
    std::vector<std::string> pending;  ///< names not applied yet, in order
    std::vector<std::string> problems; ///< files that changed after they were applied
    bool is_newer = false;             ///< the database is ahead of this program (expand/contract allows it)

    /// Daemons start only if this is true: nothing pending, nothing wrong.
    bool is_ready() const noexcept { return pending.empty() && problems.empty(); }
    /// One sentence for the log.
    std::string summary() const;
};

/// Applies `NNN_verb_noun.up.sql` files in order under an advisory lock, one transaction a file together with
/// its row in `schema_migrations(version, name, checksum, applied_at)`. A file whose first line is `--
/// no-transaction` runs statement by statement outside a transaction (CREATE INDEX CONCURRENTLY) and must be
/// safe to run again. Connect directly, not through a transaction pooler: the lock belongs to the session.
class migrator {
public:
    /// Throws std::invalid_argument for a wrong name, a gap in the numbers or a missing .down.sql: mistakes
    /// of the program.
    explicit migrator(std::span<const embedded_file> files, migrator_options options = migrator_options{});

    /// Options for the connection that up() and down() run on: no timeouts, since a migration takes as long
    /// as it takes.
    static connection_options settings(std::string url);

    /// Applies what is pending; returns the names applied by this call. Throws std::runtime_error if status()
    /// has problems, server_error if a file fails (it is rolled back, the ones before stay).
    task<std::vector<std::string>> up(connection& on) const;
    /// Reverts down to `version` (0: all), newest first.
    task<std::vector<std::string>> down(connection& on, int version) const;
    /// Reads only.
    task<migration_status> status(connection& on) const;

private:
    struct migration {
        int version;
        std::string name; ///< without .up.sql
        std::string_view up, down;
        std::string checksum; ///< SHA-256 of the up file, hexadecimal
        bool up_in_transaction, down_in_transaction;
    };
    struct applied {
        std::string name;
        std::string checksum;
    };
    task<std::map<int, applied>> read_applied(connection& on) const;
    task<void> apply(connection& on, std::string_view sql, bool as_transaction, std::string record) const;
    task<void> apply_pending(connection& on, std::vector<std::string>& done) const;
    task<void> revert_to(connection& on, int version, std::vector<std::string>& done) const;
    /// Runs `work` while holding the advisory lock.
    task<std::vector<std::string>> locked(connection& on,
                                          std::function<task<void>(std::vector<std::string>&)> work) const;
    migration_status compare(const std::map<int, applied>& have) const;

    std::vector<migration> migrations_;
    migrator_options options_;
};

} // namespace tiktrend::postgres
