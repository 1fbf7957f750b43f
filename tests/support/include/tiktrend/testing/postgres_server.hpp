#pragma once
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::testing {

/// A PostgreSQL 15 cluster of the test's own on a Unix socket and a free TCP port of 127.0.0.1, with fsync
/// off. Ready when the constructor returns (initdb takes about a second). One per test program: use shared().
/// The superuser is `postgres` without a password; as root the server runs as the system user `postgres`.
class postgres_server {
public:
    struct options {
        options() {}
        std::vector<std::string> settings; ///< further `name=value` settings
        unsigned short port = 0;           ///< 0: a free one
        /// Makes this a streaming standby (hot, read-only) of that cluster instead of a new one.
        const postgres_server* replica_of = nullptr;
    };
    explicit postgres_server(const options& o = options{});
    ~postgres_server();

    /// The program's own cluster; started at first use, stopped at exit.
    static postgres_server& shared();

    unsigned short port() const noexcept { return port_; }
    /// Directory of the Unix socket.
    std::string socket_dir() const { return dir_.path().string(); }
    /// libpq URLs of a database through the Unix socket and through TCP.
    std::string url(std::string_view database = "postgres") const;
    std::string tcp_url(std::string_view database = "postgres") const;

    /// Creates an empty database (dropping one of that name first) and returns its url(). Lower-case letters,
    /// digits and _.
    std::string create_database(std::string_view name) const;

    /// Runs SQL (several statements allowed) and returns the last result as text: rows by newline, columns by
    /// '|', NULL as
    /// "(null)". Throws std::runtime_error with the server's message.
    std::string execute(std::string_view database, std::string_view sql) const;

    void stop();  ///< fast shutdown: sessions are ended, data is kept
    void kill();  ///< SIGKILL of the postmaster: as a crash; start() recovers
    void start(); ///< again, with the same data, socket and port
    void restart() {
        stop();
        start();
    }
    process& child() noexcept { return process_; }

private:
    bool answers() const;
    std::vector<std::string> create_command() const;

    options options_;
    temp_dir dir_;
    unsigned short port_;
    process process_;
};

} // namespace tiktrend::testing
