#include <tiktrend/testing/postgres_server.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>
#include <signal.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>

namespace tiktrend::testing {
namespace {

/// Debian keeps the server's programs out of PATH; pg_config knows where.
std::string program(const std::string& name) {
    static const std::string dir = [] {
        std::string out;
        if (std::FILE* pipe = ::popen("pg_config --bindir 2>/dev/null", "r")) {
            char buffer[512];
            if (std::fgets(buffer, sizeof buffer, pipe)) out = buffer;
            ::pclose(pipe);
        }
        while (!out.empty() && out.back() == '\n')
            out.pop_back();
        if (std::filesystem::exists(out + "/initdb")) return out;
        return std::string{"/usr/lib/postgresql/15/bin"};
    }();
    return dir + "/" + name;
}

std::string contents(const std::filesystem::path& file) {
    std::ifstream in{file};
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

} // namespace

postgres_server::postgres_server(const options& o) : options_{o}, port_{o.port ? o.port : free_port()} {
    process::options po;
    po.user = "postgres"; // initdb refuses root
    po.output = dir_.path() / "create.log";
    po.directory = dir_.path();
    if (run(create_command(), po) != 0) throw std::runtime_error("no cluster:\n" + contents(po.output));
    start();
}

std::vector<std::string> postgres_server::create_command() const {
    const auto data = (dir_.path() / "data").string();
    if (const auto* primary = options_.replica_of)
        return {program("pg_basebackup"),
                "--pgdata",
                data,
                "--host",
                primary->socket_dir(),
                "--port",
                std::to_string(primary->port()),
                "--username=postgres",
                "--write-recovery-conf",
                "--checkpoint=fast",
                "--no-sync"};
    return {program("initdb"), "--pgdata",         data,       "--username=postgres", "--auth=trust",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"};
}

postgres_server::~postgres_server() {
    try {
        stop();
    } catch (...) { // a server that refuses to stop is killed by ~process
    }
}

postgres_server& postgres_server::shared() {
    static postgres_server instance;
    return instance;
}

std::string postgres_server::url(std::string_view database) const {
    std::string host;
    for (const char c : socket_dir())
        host += c == '/' ? std::string{"%2F"} : std::string{c};
    return fmt::format("postgresql://postgres@{}:{}/{}", host, port_, database);
}

std::string postgres_server::tcp_url(std::string_view database) const {
    return fmt::format("postgresql://postgres@127.0.0.1:{}/{}", port_, database);
}

bool postgres_server::answers() const {
    return PQping(url().c_str()) == PQPING_OK;
}

void postgres_server::start() {
    std::vector<std::string> argv{
        program("postgres"),  "-D", (dir_.path() / "data").string(), "-k", socket_dir(), "-p",
        std::to_string(port_)};
    for (const char* setting :
         {"listen_addresses=127.0.0.1", "fsync=off", "full_page_writes=off", "shared_buffers=32MB",
          "max_connections=100", "autovacuum=off", "max_wal_size=256MB"}) {
        argv.emplace_back("-c");
        argv.emplace_back(setting);
    }
    for (const auto& setting : options_.settings) {
        argv.emplace_back("-c");
        argv.emplace_back(setting);
    }
    process::options po;
    po.user = "postgres";
    po.output = dir_.path() / "postgres.log";
    po.directory = dir_.path();
    const bool up = poll_until(
        [&] {
            // After kill() the old backends may hold the shared memory a moment longer, so the first start
            // may fail.
            if (!process_.running()) process_ = process{argv, po};
            return answers();
        },
        std::chrono::seconds{30});
    if (!up) throw std::runtime_error("postgres did not start:\n" + contents(po.output));
}

void postgres_server::stop() {
    process_.signal(SIGINT);
    if (!process_.wait(std::chrono::seconds{20})) process_.kill();
}

void postgres_server::kill() {
    process_.kill();
}

std::string postgres_server::execute(std::string_view database, std::string_view sql) const {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> connection{PQconnectdb(url(database).c_str()),
                                                                  &PQfinish};
    PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    const std::unique_ptr<PGresult, decltype(&PQclear)> answer{
        PQexec(connection.get(), std::string{sql}.c_str()), &PQclear};
    const auto status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    std::string out;
    for (int r = 0; r < PQntuples(answer.get()); ++r) {
        if (r) out += '\n';
        for (int c = 0; c < PQnfields(answer.get()); ++c) {
            if (c) out += '|';
            out += PQgetisnull(answer.get(), r, c) ? "(null)" : PQgetvalue(answer.get(), r, c);
        }
    }
    return out;
}

std::string postgres_server::create_database(std::string_view name) const {
    execute("postgres", fmt::format("DROP DATABASE IF EXISTS {} WITH (FORCE)", name));
    execute("postgres", fmt::format("CREATE DATABASE {}", name));
    return url(name);
}

} // namespace tiktrend::testing
