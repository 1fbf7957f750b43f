#pragma once
#include "quota_book.hpp"

#include <tiktrend/catalog/user_store.hpp>
#include <tiktrend/http/router.hpp>

namespace tiktrend::gateway {

/// POST /users {email, role?, subject?} (admin): 201 with the user, 409 `email_taken` or `subject_taken`.
http::handler create_user(catalog::user_store& users);
/// GET /users/me: the caller with the scopes of the credential in use.
http::handler get_me(catalog::user_store& users);
/// GET /users/me/quota: what the caller used today and may use, cached.
http::handler get_my_quota(quota_book& quotas);

} // namespace tiktrend::gateway
