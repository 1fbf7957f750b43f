#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/catalog/error.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tiktrend::catalog {

enum class user_role { user, admin };

struct user {
    std::int64_t id = 0;
    std::string email;
    user_role role = user_role::user;
    std::optional<std::string> subject; ///< the "sub" of the user's JSON Web Tokens
    std::int64_t created_ms = 0;
};

class user_store {
public:
    explicit user_store(postgres::router& router) : router_{router} {}

    /// errc::email_taken, subject_taken; addresses are compared without regard to case, subjects as they are.
    task<result<user>> create(const std::string& email, user_role role,
                              const std::optional<std::string>& subject = std::nullopt);
    // Accounts are read from the primary: who has just made one finds it. By subject a replica is asked
    // first.
    task<std::optional<user>> find(std::int64_t id);
    task<std::optional<user>> find_by_email(const std::string& email);
    task<std::optional<user>> find_by_subject(const std::string& subject);
    /// All of them by id, at most `limit`.
    task<std::vector<user>> list(std::int64_t limit);

private:
    postgres::router& router_;
};

} // namespace tiktrend::catalog
