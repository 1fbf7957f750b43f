#pragma once
#include "jwt_settings.hpp"
#include "middleware/principal.hpp"

#include <tiktrend/access/key_source.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/log.hpp>
#include <tiktrend/catalog/user_store.hpp>

#include <optional>
#include <string>

namespace tiktrend::gateway {

/// Turns JSON Web Tokens into principals: "sub" is the subject of a user, scopes come from the token, and
/// `admin` counts only for users who are administrators here. Owned by one executor; settings and store must
/// outlive it.
class token_verifier {
public:
    token_verifier(asio::any_io_executor executor, const jwt_settings& settings,
                   const catalog::user_store& users, logger log,
                   const wall_clock& clock = system_wall_clock());

    void start();
    task<void> stop();

    /// Nothing if the token is refused; the reason is logged and not for the client. Throws as
    /// user_store::find_by_subject().
    task<std::optional<principal>> find(std::string token);

private:
    const jwt_settings& settings_;
    catalog::user_store users_;
    logger log_;
    const wall_clock& clock_;
    std::optional<access::key_source> keys_;
};

} // namespace tiktrend::gateway
