// tiktrend api-key: makes, lists and revokes API keys.
#include "command.hpp"
#include "database.hpp"
#include "redis_url.hpp"
#include "usage_error.hpp"

#include <tiktrend/base/config_reader.hpp>
#include <tiktrend/base/json_text.hpp>
#include <tiktrend/cache/invalidator.hpp>
#include <tiktrend/catalog/api_key_store.hpp>
#include <tiktrend/catalog/user_store.hpp>
#include <tiktrend/redis/client.hpp>

#include <CLI/CLI.hpp>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ctime>
#include <memory>

namespace tiktrend::cli {
namespace {

struct create_options {
    std::string email;
    std::string name = "command line";
    std::vector<std::string> scopes;
    int expires_days = 0;
    bool as_json = false;
};

catalog::scope_set scopes_of(const std::vector<std::string>& names) {
    catalog::scope_set out;
    for (const auto& name : names) {
        const auto scope = catalog::parse_scope(name);
        if (!scope)
            throw usage_error(
                fmt::format("--scopes=\"{}\": expected read, scrape, copy, admin or metrics", name));
        out.add(*scope);
    }
    return out;
}

std::string day_of(const std::optional<std::int64_t>& unix_ms) {
    return unix_ms ? fmt::format("{:%Y-%m-%d}", fmt::gmtime(static_cast<std::time_t>(*unix_ms / 1000))) : "-";
}

/// The user with this address; made if there is none.
task<catalog::user> user_of(catalog::user_store& users, const std::string& email, bool is_admin) {
    if (auto user = co_await users.find_by_email(email)) co_return *user;
    const auto role = is_admin ? catalog::user_role::admin : catalog::user_role::user;
    auto created = co_await users.create(email, role);
    if (created) co_return *created;
    if (auto user = co_await users.find_by_email(email)) co_return *user; // somebody was faster
    throw system_error(created.error(), email);
}

void print_created(const create_options& options, const catalog::api_key_store::created& made) {
    if (!options.as_json) {
        fmt::print("{}\n", made.text);
        return;
    }
    std::string out = R"({"key":)";
    append_json_string(out, made.text);
    out += R"(,"id":)";
    append_json_string(out, made.key.id);
    out += R"(,"email":)";
    append_json_string(out, options.email);
    out += R"(,"scopes":[)";
    bool first = true;
    for (const auto& name : made.key.scopes.names()) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(out, name);
    }
    fmt::print("{}]}}\n", out);
}

task<int> create(const create_options& options, postgres::router& router) {
    const auto scopes = scopes_of(options.scopes);
    catalog::user_store users{router};
    catalog::api_key_store keys{router};
    const auto user = co_await user_of(users, options.email, scopes.allows(catalog::scope::admin));
    std::optional<std::int64_t> expires_ms;
    if (options.expires_days > 0)
        expires_ms = system_wall_clock().now_ms() + std::int64_t{options.expires_days} * 24 * 3600 * 1000;
    const auto made = co_await keys.create(user.id, options.name, scopes, expires_ms);
    print_created(options, made);
    co_return exit_ok;
}

task<int> list(const std::string& email, postgres::router& router) {
    catalog::user_store users{router};
    catalog::api_key_store keys{router};
    const auto user = co_await users.find_by_email(email);
    if (!user) throw std::runtime_error("there is no user " + email);
    fmt::print("{:<10} {:<24} {:<28} {:<12} {:<12} {:<12} {}\n", "id", "name", "scopes", "created",
               "last used", "expires", "revoked");
    for (const auto& key : co_await keys.list(user->id))
        fmt::print("{:<10} {:<24} {:<28} {:<12} {:<12} {:<12} {}\n", key.id, key.name,
                   fmt::format("{}", fmt::join(key.scopes.names(), ",")), day_of(key.created_ms),
                   day_of(key.last_used_ms), day_of(key.expires_ms), day_of(key.revoked_ms));
    co_return exit_ok;
}

/// Tells the running gateways at once; otherwise they notice when they look the key up again.
task<bool> announce(std::vector<std::string> ids) {
    config_reader reader;
    const auto url = cache_redis_url(reader);
    const auto where = redis::parse_url(url);
    if (!reader.errors().empty() || !where) co_return false;
    redis::client cache{co_await asio::this_coro::executor, *where};
    cache.start();
    bool told = false;
    try {
        co_await cache.wait_connected(std::chrono::seconds{2});
        co_await cache::invalidator{cache}.invalidate("api-keys", ids, 0, false);
        told = true;
    } catch (const system_error&) { // the caller says what that means
    }
    co_await cache.stop();
    co_return told;
}

task<int> revoke(const std::string& id, bool with_descendants, postgres::router& router) {
    using extent = catalog::api_key_store::extent;
    catalog::api_key_store keys{router};
    auto ended =
        co_await keys.revoke(id, std::nullopt, with_descendants ? extent::with_descendants : extent::alone);
    if (ended.empty()) throw std::runtime_error("there is no key " + id + " that is in force");
    for (const auto& one : ended)
        fmt::print("revoked {}\n", one);
    if (!co_await announce(std::move(ended)))
        fmt::print(
            stderr,
            "REDIS_CACHE_URL does not answer: gateways may accept what was revoked for 10 more seconds\n");
    co_return exit_ok;
}

void add_create(CLI::App& group, action& chosen) {
    auto* verb =
        group.add_subcommand("create", "Make a key and print it; it is not stored and cannot be shown again");
    auto options = std::make_shared<create_options>();
    verb->add_option("--email", options->email, "Whose key; the user is made if there is none")->required();
    verb->add_option("--scopes", options->scopes, "Comma separated: read, scrape, copy, admin, metrics")
        ->delimiter(',')
        ->required();
    verb->add_option("--name", options->name, "What the key is for")->capture_default_str();
    verb->add_option("--expires-days", options->expires_days, "0: never")
        ->check(CLI::Range(0, 3650))
        ->capture_default_str();
    verb->add_flag("--json", options->as_json, "Print a JSON object instead of the key alone");
    verb->callback([&chosen, options] {
        chosen = [options] {
            return run(with_router([options](postgres::router& router) { return create(*options, router); }));
        };
    });
}

void add_list(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("list", "Show a user's keys");
    auto email = std::make_shared<std::string>();
    verb->add_option("--email", *email, "Whose keys")->required();
    verb->callback([&chosen, email] {
        chosen = [email] {
            return run(with_router([email](postgres::router& router) { return list(*email, router); }));
        };
    });
}

void add_revoke(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("revoke", "End a key");
    auto id = std::make_shared<std::string>();
    auto with_descendants = std::make_shared<bool>(false);
    verb->add_option("id", *id, "The key's id: ttk_<id>_…")->required();
    verb->add_flag("--descendants", *with_descendants,
                   "Also the keys that were made with it, and with those");
    verb->callback([&chosen, id, with_descendants] {
        chosen = [id, with_descendants] {
            return run(with_router([id, with_descendants](postgres::router& router) {
                return revoke(*id, *with_descendants, router);
            }));
        };
    });
}

} // namespace

void add_api_key(CLI::App& root, action& chosen) {
    auto* group = root.add_subcommand("api-key", "Make, list and revoke API keys (DATABASE_URL)");
    group->require_subcommand(1);
    add_create(*group, chosen);
    add_list(*group, chosen);
    add_revoke(*group, chosen);
}

} // namespace tiktrend::cli
