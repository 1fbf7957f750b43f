#include <tiktrend/catalog/user_store.hpp>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view insert_user =
    "INSERT INTO users (email, role) VALUES ($1::text, $2::text) ON CONFLICT (lower(email)) DO NOTHING "
    "RETURNING id, email, role, (extract(epoch FROM created_at) * 1000)::bigint";
constexpr std::string_view find_by_id = "SELECT id, email, role, (extract(epoch FROM created_at) * "
                                        "1000)::bigint FROM users WHERE id = $1::bigint";
constexpr std::string_view find_by_address =
    "SELECT id, email, role, (extract(epoch FROM created_at) * 1000)::bigint FROM users "
    "WHERE lower(email) = lower($1::text)";

std::optional<user> first_of(const postgres::rows& found) {
    if (found.empty()) return std::nullopt;
    const auto r = found.front();
    user out;
    out.id = r[0].int64();
    out.email = r[1].text();
    out.role = r[2].text() == "admin" ? user_role::admin : user_role::user;
    out.created_ms = r[3].int64();
    return out;
}

} // namespace

task<result<user>> user_store::create(const std::string& email, user_role role) {
    const auto values = postgres::params::of(email, role == user_role::admin ? "admin" : "user");
    const auto made = first_of(co_await router_.write().query(insert_user, values));
    if (!made) co_return make_error_code(errc::email_taken);
    co_return *made;
}

task<std::optional<user>> user_store::find(std::int64_t id) {
    const auto values = postgres::params::of(id);
    co_return first_of((co_await router_.query(find_by_id, values)).answer);
}

task<std::optional<user>> user_store::find_by_email(const std::string& email) {
    const auto values = postgres::params::of(email);
    co_return first_of((co_await router_.query(find_by_address, values)).answer);
}

} // namespace tiktrend::catalog
