// tiktrend user: makes and lists users, and sets limits of their own.
#include "command.hpp"
#include "database.hpp"
#include "usage_error.hpp"

#include <tiktrend/catalog/usage_store.hpp>
#include <tiktrend/catalog/user_store.hpp>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <charconv>
#include <memory>

namespace tiktrend::cli {
namespace {

constexpr std::int64_t max_listed = 10'000;

struct create_options {
    std::string email;
    std::string role = "user";
    std::string subject;
};

struct quota_options {
    std::string email;
    std::string kind;
    std::string limit;
};

std::string_view role_name(catalog::user_role role) {
    return role == catalog::user_role::admin ? "admin" : "user";
}

task<int> create(const create_options& options, postgres::router& router) {
    catalog::user_store users{router};
    const auto role = options.role == "admin" ? catalog::user_role::admin : catalog::user_role::user;
    const auto subject = options.subject.empty() ? std::nullopt : std::optional{options.subject};
    const auto made = co_await users.create(options.email, role, subject);
    if (!made) throw std::runtime_error(made.error().message());
    fmt::print("{}\n", made->id);
    co_return exit_ok;
}

task<int> list(postgres::router& router) {
    catalog::user_store users{router};
    fmt::print("{:<8} {:<6} {:<40} {}\n", "id", "role", "email", "subject");
    for (const auto& u : co_await users.list(max_listed))
        fmt::print("{:<8} {:<6} {:<40} {}\n", u.id, role_name(u.role), u.email, u.subject.value_or("-"));
    co_return exit_ok;
}

/// A number, or nothing for the standard limit.
std::optional<std::int64_t> limit_of(const std::string& text) {
    if (text == "standard") return std::nullopt;
    std::int64_t n = -1;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc{} || end != text.data() + text.size() || n < 0)
        throw usage_error(fmt::format("--limit=\"{}\": expected a number of uses a day, or standard", text));
    return n;
}

task<int> set_quota(const quota_options& options, postgres::router& router) {
    const auto limit = limit_of(options.limit);
    const auto kind = catalog::parse_usage_kind(options.kind);
    if (!kind) throw usage_error(fmt::format("--kind=\"{}\": expected scrapes or copies", options.kind));
    catalog::user_store users{router};
    catalog::usage_store usage{router};
    const auto user = co_await users.find_by_email(options.email);
    if (!user) throw std::runtime_error("there is no user " + options.email);
    co_await usage.set_limit(user->id, *kind, limit);
    fmt::print("{} {} {}\n", options.email, options.kind, options.limit);
    co_return exit_ok;
}

void add_create(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("create", "Make a user and print its id");
    auto options = std::make_shared<create_options>();
    verb->add_option("--email", options->email, "Unique, however it is capitalised")->required();
    verb->add_option("--role", options->role, "user or admin")
        ->check(CLI::IsMember({"user", "admin"}))
        ->capture_default_str();
    verb->add_option("--subject", options->subject, "The \"sub\" of the user's JSON Web Tokens");
    verb->callback([&chosen, options] {
        chosen = [options] {
            return run(with_router([options](postgres::router& router) { return create(*options, router); }));
        };
    });
}

void add_list(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("list", "Show all users");
    verb->callback([&chosen] { chosen = [] { return run(with_router(list)); }; });
}

void add_quota(CLI::App& group, action& chosen) {
    auto* verb = group.add_subcommand("quota", "Set a user's own daily limit");
    auto options = std::make_shared<quota_options>();
    verb->add_option("--email", options->email, "Whose limit")->required();
    verb->add_option("--kind", options->kind, "scrapes or copies")->required();
    verb->add_option("--limit", options->limit, "Uses a day; standard: as the gateway's configuration says")
        ->required();
    verb->callback([&chosen, options] {
        chosen = [options] {
            return run(
                with_router([options](postgres::router& router) { return set_quota(*options, router); }));
        };
    });
}

} // namespace

void add_user(CLI::App& root, action& chosen) {
    auto* group = root.add_subcommand("user", "Make and list users, set their quotas (DATABASE_URL)");
    group->require_subcommand(1);
    add_create(*group, chosen);
    add_list(*group, chosen);
    add_quota(*group, chosen);
}

} // namespace tiktrend::cli
