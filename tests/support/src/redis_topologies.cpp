#include "redis_command.hpp"

#include <tiktrend/testing/redis_topologies.hpp>
#include <tiktrend/testing/server_certificate.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <stdexcept>

namespace tiktrend::testing {
namespace {

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream in{text};
    for (std::string line; std::getline(in, line);)
        out.push_back(line);
    return out;
}

void wait_until(const char* what, const std::function<bool()>& done) {
    const bool happened = poll_until(
        [&] {
            try {
                return done();
            } catch (const std::exception&) {
                return false; // not up yet
            }
        },
        std::chrono::seconds{30});
    if (!happened) throw std::runtime_error(what);
}

/// A master whose replica gets what is written. Before it is "online", up to a second after it says that its
/// link is up, it gets nothing, and would lose all of it when it takes over.
bool is_followed(const std::string& info) {
    return info.find("state=online") != std::string::npos;
}

bool is_free(int port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    const bool is_bound = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    if (fd >= 0) ::close(fd);
    return is_bound;
}

/// The bus of a cluster's node is 10000 above its port. Both below the range that connections get their own
/// ports from.
unsigned short free_cluster_port() {
    static std::minstd_rand random{std::random_device{}()};
    for (;;) {
        const auto port = std::uniform_int_distribution<int>{12'000, 21'999}(random);
        if (is_free(port) && is_free(port + 10'000)) return static_cast<unsigned short>(port);
    }
}

} // namespace

std::string command_at(unsigned short port, std::vector<std::string> words, const std::string& password) {
    const redis_connection c{redisConnectWithTimeout("127.0.0.1", port, {2, 0}), &redisFree};
    const auto where = "port " + std::to_string(port);
    if (!password.empty()) run_command(c, where, {"AUTH", password});
    return run_command(c, where, words);
}

// --- TLS

std::string tls_files::chain() const {
    return (dir_.path() / "server.pem").string();
}
std::string tls_files::key() const {
    return (dir_.path() / "server.key").string();
}
void tls_files::make() const {
    make_server_certificate(chain(), key(), "127.0.0.1");
}

std::vector<std::string> tls_files::arguments(unsigned short port) const {
    return {"--tls-port",         std::to_string(port),
            "--tls-cert-file",    chain(),
            "--tls-key-file",     key(),
            "--tls-ca-cert-file", chain(),
            "--tls-auth-clients", "no"};
}

// --- Sentinel

redis_sentinels::redis_sentinels(const options& o) : options_{o} {
    if (o.tls) certificate_.make();
    for (int i = 0; i < 2; ++i) {
        redis_server::options server;
        server.port = free_port();
        server_ports_.push_back(o.tls ? free_port() : server.port);
        server.arguments = {"--repl-diskless-sync-delay", "0"};
        const auto add = [&](std::vector<std::string> words) {
            server.arguments.insert(server.arguments.end(), words.begin(), words.end());
        };
        if (!o.password.empty()) add({"--masterauth", o.password});
        if (o.tls) {
            add(certificate_.arguments(server_ports_.back()));
            add({"--tls-replication", "yes"});
        }
        if (i == 1) add({"--replicaof", "127.0.0.1", std::to_string(server_ports_[0])});
        servers_.push_back(std::make_unique<redis_server>(server));
    }
    // After the start, since the servers' own fixture has no password to say.
    if (!o.password.empty())
        for (auto& s : servers_)
            s->command({"CONFIG", "SET", "requirepass", o.password});
    wait_until("the replica did not follow its master",
               [&] { return is_followed(command_at(first().port(), {"INFO", "replication"}, o.password)); });
    for (int i = 0; i < 3; ++i) {
        sentinels_.push_back(std::make_unique<sentinel>());
        start_sentinel(*sentinels_.back());
    }
    wait_until("the sentinels did not find each other and the replica", [&] {
        for (const auto& s : sentinels_) {
            if (ask(*s, {"SENTINEL", "sentinels", master_name}).find("127.0.0.1") == std::string::npos)
                return false;
            if (ask(*s, {"SENTINEL", "ckquorum", master_name}).find("OK 3") != 0) return false;
            if (ask(*s, {"SENTINEL", "replicas", master_name}).find(std::to_string(server_ports_[1])) ==
                std::string::npos)
                return false;
        }
        return true;
    });
}

void redis_sentinels::start_sentinel(sentinel& s) {
    s.port = free_port();
    s.tls_port = options_.tls ? free_port() : s.port;
    const auto conf = s.dir.path() / "sentinel.conf";
    {
        std::ofstream out{conf};
        const std::string name = master_name;
        out << "port " << s.port << "\nbind 127.0.0.1\ndir " << s.dir.path().string() << "\n"
            << "sentinel monitor " << name << " 127.0.0.1 " << server_ports_[0] << " 2\n"
            << "sentinel down-after-milliseconds " << name << " 500\n"
            << "sentinel failover-timeout " << name << " 5000\n";
        if (options_.tls)
            out << "tls-port " << s.tls_port << "\ntls-cert-file " << certificate_.chain()
                << "\ntls-key-file " << certificate_.key() << "\ntls-ca-cert-file " << certificate_.chain()
                << "\ntls-auth-clients no\ntls-replication yes\n";
        if (!options_.password.empty())
            out << "sentinel auth-pass " << name << " " << options_.password << "\n";
        if (!options_.sentinel_password.empty())
            out << "requirepass " << options_.sentinel_password << "\nsentinel sentinel-pass "
                << options_.sentinel_password << "\n";
    }
    process::options po;
    po.output = s.dir.path() / "sentinel.log";
    s.child = process{{"redis-server", conf.string(), "--sentinel"}, po};
    wait_until("a sentinel did not start", [&] { return ask(s, {"PING"}) == "PONG"; });
}

std::string redis_sentinels::ask(const sentinel& s, std::vector<std::string> words) const {
    return command_at(s.port, std::move(words), options_.sentinel_password);
}

std::string redis_sentinels::hosts() const {
    std::string out;
    for (const auto& s : sentinels_)
        out += (out.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(s->tls_port);
    return out;
}

unsigned short redis_sentinels::master_port() const {
    const auto answer = lines(ask(*sentinels_[0], {"SENTINEL", "get-master-addr-by-name", master_name}));
    return static_cast<unsigned short>(std::stoi(answer.at(1)));
}

redis_server& redis_sentinels::server_at(unsigned short port) {
    for (std::size_t i = 0; i < servers_.size(); ++i)
        if (server_ports_[i] == port) return *servers_[i];
    throw std::runtime_error("no server at port " + std::to_string(port));
}

// --- Cluster

redis_cluster::redis_cluster(const options& o) {
    std::vector<std::string> create{"redis-cli"};
    if (o.tls) {
        certificate_.make();
        create.insert(create.end(), {"--tls", "--cacert", certificate_.chain()});
    }
    create.insert(create.end(), {"--cluster", "create"});
    for (int i = 0; i < (o.with_replicas ? 6 : 3); ++i) {
        redis_server::options server;
        server.port = o.tls ? free_port() : free_cluster_port();
        ports_.push_back(o.tls ? free_cluster_port() : server.port);
        server.arguments = {"--cluster-enabled",          "yes", "--cluster-node-timeout", "3000",
                            "--repl-diskless-sync-delay", "0"};
        if (o.tls) {
            auto words = certificate_.arguments(ports_.back());
            words.insert(words.end(), {"--tls-cluster", "yes", "--tls-replication", "yes"});
            server.arguments.insert(server.arguments.end(), words.begin(), words.end());
        }
        servers_.push_back(std::make_unique<redis_server>(server));
        create.push_back("127.0.0.1:" + std::to_string(ports_.back()));
    }
    if (o.with_replicas) create.insert(create.end(), {"--cluster-replicas", "1"});
    create.emplace_back("--cluster-yes");
    process::options po;
    po.output = "/dev/null";
    if (run(create, po) != 0) throw std::runtime_error("redis-cli --cluster create failed");
    wait_until("the cluster did not come up", [this] {
        return std::all_of(servers_.begin(), servers_.end(), [](const auto& s) {
            return s->command({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
        });
    });
    if (o.with_replicas)
        wait_until("the replicas did not follow", [this] {
            return std::count_if(servers_.begin(), servers_.end(), [](const auto& s) {
                       return is_followed(s->command({"INFO", "replication"}));
                   }) == 3;
        });
    for (auto& s : servers_)
        ids_.push_back(s->command({"CLUSTER", "MYID"}));
}

std::string redis_cluster::hosts() const {
    std::string out;
    for (const auto port : ports_)
        out += (out.empty() ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(port);
    return out;
}

int redis_cluster::slot_of(const std::string& key) const {
    return std::stoi(servers_[0]->command({"CLUSTER", "KEYSLOT", key}));
}

std::size_t redis_cluster::owner_of(const std::string& key) const {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
        try {
            servers_[i]->command({"EXISTS", key});
            return i;
        } catch (const std::runtime_error&) { // MOVED
        }
    }
    throw std::runtime_error("nobody owns " + key);
}

void redis_cluster::begin_move(int slot, std::size_t from, std::size_t to) {
    servers_[to]->command({"CLUSTER", "SETSLOT", std::to_string(slot), "IMPORTING", ids_[from]});
    servers_[from]->command({"CLUSTER", "SETSLOT", std::to_string(slot), "MIGRATING", ids_[to]});
}

std::size_t redis_cluster::move_keys(int slot, std::size_t from, std::size_t to, std::size_t count) {
    const auto keys = lines(
        servers_[from]->command({"CLUSTER", "GETKEYSINSLOT", std::to_string(slot), std::to_string(count)}));
    if (keys.empty()) return 0;
    std::vector<std::string> words{"MIGRATE", "127.0.0.1", std::to_string(ports_[to]), "", "0",
                                   "5000",    "KEYS"};
    words.insert(words.end(), keys.begin(), keys.end());
    servers_[from]->command(words);
    return keys.size();
}

void redis_cluster::end_move(int slot, std::size_t from, std::size_t to) {
    // The new owner first, so that no request falls between the two.
    servers_[to]->command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]});
    servers_[from]->command({"CLUSTER", "SETSLOT", std::to_string(slot), "NODE", ids_[to]});
}

} // namespace tiktrend::testing
