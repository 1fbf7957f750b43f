#pragma once
#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/temp_dir.hpp>

#include <string>
#include <vector>

namespace tiktrend::testing {

/// A Redis of the test's own on a Unix socket and a free TCP port of 127.0.0.1, without persistence unless
/// asked for. Ready when the constructor returns. One per test program: use shared().
class redis_server {
public:
    struct options {
        options() {}
        std::vector<std::string> arguments; ///< further `--name value` words
        bool append_only = false;           ///< AOF with fsync always, so that restart() keeps the data
        unsigned short port = 0;            ///< 0: a free one
    };
    explicit redis_server(const options& o = options{});

    /// The program's own server; started at first use, stopped at exit.
    static redis_server& shared();

    const std::string& socket() const noexcept { return socket_; }
    unsigned short port() const noexcept { return port_; }
    std::string unix_url() const { return "unix://" + socket_; }
    std::string url() const { return "redis://127.0.0.1:" + std::to_string(port_); }

    /// Runs one command and gives the reply as text (arrays: one element a line, nil: "(nil)"). Throws on an
    /// error reply.
    std::string command(std::vector<std::string> words) const;

    void stop();  ///< SIGTERM and wait
    void kill();  ///< SIGKILL
    void start(); ///< again, with the same socket, port and directory
    void restart() {
        stop();
        start();
    }
    process& child() noexcept { return process_; }

private:
    options options_;
    temp_dir dir_;
    std::string socket_;
    unsigned short port_;
    process process_;
};

} // namespace tiktrend::testing
