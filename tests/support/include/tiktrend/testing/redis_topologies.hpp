#pragma once
#include <tiktrend/testing/redis_server.hpp>

#include <memory>
#include <string>
#include <vector>

namespace tiktrend::testing {

/// A certificate for 127.0.0.1 that redis-server can use.
class tls_files {
public:
    /// Paths; the files are there once make() was called.
    std::string chain() const;
    std::string key() const;
    void make() const;
    /// Words for redis-server: TLS on this port.
    std::vector<std::string> arguments(unsigned short port) const;

private:
    temp_dir dir_;
};

/// A master, one replica and three sentinels (quorum 2) of 127.0.0.1; ready when the constructor returns. The
/// sentinels take a master for dead after 500 ms.
class redis_sentinels {
public:
    struct options {
        options() {}
        std::string password;          ///< of the servers ("default"); empty: none
        std::string sentinel_password; ///< of the sentinels themselves
        bool tls = false;              ///< everybody speaks TLS, with a certificate for 127.0.0.1
    };
    explicit redis_sentinels(const options& o = options{});

    static constexpr const char* master_name = "main";
    /// "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3"
    std::string hosts() const;
    /// PEM file by which clients know the servers and the sentinels; tls only.
    std::string ca_file() const { return certificate_.chain(); }
    /// What the first sentinel says: the port of the master.
    unsigned short master_port() const;
    redis_server& master() { return server_at(master_port()); }
    redis_server& first() noexcept { return *servers_[0]; }
    redis_server& second() noexcept { return *servers_[1]; }

private:
    redis_server& server_at(unsigned short port);
    struct sentinel {
        temp_dir dir;
        unsigned short port = 0;
        unsigned short tls_port = 0; ///< for clients; the test itself asks at the other
        process child;
    };
    void start_sentinel(sentinel& s);
    std::string ask(const sentinel& s, std::vector<std::string> words) const;

    options options_;
    tls_files certificate_;
    std::vector<std::unique_ptr<redis_server>> servers_;
    std::vector<unsigned short> server_ports_; ///< as the sentinels know them
    std::vector<std::unique_ptr<sentinel>> sentinels_;
};

/// Three masters of a cluster on 127.0.0.1, all slots served; ready when the constructor returns.
class redis_cluster {
public:
    struct options {
        options() {}
        bool tls = false; ///< with a certificate for 127.0.0.1
        bool with_replicas =
            false; ///< one for each master, which takes over about four seconds after its loss
    };
    explicit redis_cluster(const options& o = options{});

    /// PEM file by which clients know the nodes; tls only.
    std::string ca_file() const { return certificate_.chain(); }

    std::string hosts() const;
    redis_server& node(std::size_t i) noexcept { return *servers_[i]; }
    std::size_t size() const noexcept { return servers_.size(); }
    /// The node that owns the slot of `key`.
    std::size_t owner_of(const std::string& key) const;
    int slot_of(const std::string& key) const;

    /// The three steps in which a slot moves (redis.io/docs/reference/cluster-spec, "Live reconfiguration").
    void begin_move(int slot, std::size_t from, std::size_t to);
    /// Moves up to `count` keys; how many were left to move before.
    std::size_t move_keys(int slot, std::size_t from, std::size_t to, std::size_t count);
    void end_move(int slot, std::size_t from, std::size_t to);

private:
    tls_files certificate_;
    std::vector<std::unique_ptr<redis_server>> servers_;
    std::vector<unsigned short> ports_; ///< as clients know them
    std::vector<std::string> ids_;
};

/// Runs one command on a server by TCP; as redis_server::command().
std::string command_at(unsigned short port, std::vector<std::string> words, const std::string& password = {});

} // namespace tiktrend::testing
