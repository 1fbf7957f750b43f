#include <tiktrend/catalog/user_store.hpp>

namespace tiktrend::catalog {
namespace {

#define TT_USER_COLUMNS "id, email, role, subject, (extract(epoch FROM created_at) * 1000)::bigint"

// Without a conflict target: the address and the subject are both unique.
constexpr std::string_view insert_user =
    "INSERT INTO users (email, role, subject) VALUES ($1::text, $2::text, $3::text) ON CONFLICT DO NOTHING "
    "RETURNING " TT_USER_COLUMNS;
constexpr std::string_view find_by_id = "SELECT " TT_USER_COLUMNS " FROM users WHERE id = $1::bigint";
constexpr std::string_view find_by_address =
    "SELECT " TT_USER_COLUMNS " FROM users WHERE lower(email) = lower($1::text)";
constexpr std::string_view find_by_sub = "SELECT " TT_USER_COLUMNS " FROM users WHERE subject = $1::text";
constexpr std::string_view list_users = "SELECT " TT_USER_COLUMNS " FROM users ORDER BY id LIMIT $1::bigint";

#undef TT_USER_COLUMNS

user read_user(const postgres::row& r) {
    user out;
    out.id = r[0].int64();
    out.email = r[1].text();
    out.role = r[2].text() == "admin" ? user_role::admin : user_role::user;
    if (const auto subject = r[3].optional_text()) out.subject = std::string{*subject};
    out.created_ms = r[4].int64();
    return out;
}

std::optional<user> first_of(const postgres::rows& found) {
    if (found.empty()) return std::nullopt;
    return read_user(found.front());
}

} // namespace

task<result<user>> user_store::create(const std::string& email, user_role role,
                                      const std::optional<std::string>& subject) {
    const auto values = postgres::params::of(email, role == user_role::admin ? "admin" : "user", subject);
    const auto made = first_of(co_await router_.write().query(insert_user, values));
    if (made) co_return *made;
    const auto address = postgres::params::of(email);
    const bool same_address = !(co_await router_.write().query(find_by_address, address)).empty();
    co_return make_error_code(same_address ? errc::email_taken : errc::subject_taken);
}

task<std::optional<user>> user_store::find(std::int64_t id) {
    const auto values = postgres::params::of(id);
    co_return first_of(co_await router_.write().query(find_by_id, values));
}

task<std::optional<user>> user_store::find_by_email(const std::string& email) {
    const auto values = postgres::params::of(email);
    co_return first_of(co_await router_.write().query(find_by_address, values));
}

task<std::optional<user>> user_store::find_by_subject(const std::string& subject) {
    const auto values = postgres::params::of(subject);
    co_return first_of(co_await router_.find(find_by_sub, values));
}

task<std::vector<user>> user_store::list(std::int64_t limit) {
    const auto values = postgres::params::of(limit);
    const auto found = co_await router_.query(list_users, values);
    std::vector<user> out;
    for (const auto r : found.answer)
        out.push_back(read_user(r));
    co_return out;
}

} // namespace tiktrend::catalog
