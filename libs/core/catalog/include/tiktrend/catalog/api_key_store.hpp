#pragma once
#include <tiktrend/base/asio.hpp>
#include <tiktrend/base/clock.hpp>
#include <tiktrend/base/error.hpp>
#include <tiktrend/catalog/error.hpp>
#include <tiktrend/catalog/scopes.hpp>
#include <tiktrend/postgres/router.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tiktrend::catalog {

/// The text of an API key: `ttk_<id>_<secret>`, id 8 and secret 43 characters of 0-9A-Za-z; the secret is 256
/// random bits.
struct api_key_text {
    std::string text;
    std::string id;

    static api_key_text generate();
    /// The id inside the text of a key; empty if it does not look like one.
    static std::optional<std::string_view> id_of(std::string_view text) noexcept;
};

/// A key as it is stored; the secret is not.
struct api_key {
    std::string id;
    std::int64_t user_id = 0;
    std::string name;
    scope_set scopes;
    std::int64_t created_ms = 0;
    std::optional<std::int64_t> last_used_ms; ///< to the minute
    std::optional<std::int64_t> expires_ms;
    std::optional<std::int64_t> revoked_ms;
    std::string parent_id; ///< the key that made it; empty: an operator or a token did
};

/// API keys: id and SHA-256 of the whole text in the database. Owned by one executor; router and clock must
/// outlive it.
class api_key_store {
public:
    explicit api_key_store(postgres::router& router, const wall_clock& clock = system_wall_clock())
        : router_{router}, clock_{clock} {}

    struct created {
        std::string text; ///< shown once, never stored
        api_key key;
    };
    /// The user must exist, and the parent if one is named (throws postgres::server_error 23503 otherwise).
    task<created> create(std::int64_t user_id, const std::string& name, scope_set scopes,
                         std::optional<std::int64_t> expires_ms = std::nullopt,
                         const std::string& parent_id = {});

    task<std::optional<api_key>> find(const std::string& id);
    /// From the primary: who has just made or revoked a key sees it.
    task<std::vector<api_key>> list(std::int64_t user_id);

    /// Who holds this key: errc::bad_key, unknown_key, revoked_key. The secret is compared in constant time.
    /// Callers cache the answer for seconds at most, so that revoking works.
    task<result<api_key>> verify(std::string_view text);

    /// Notes the use of a key, at most once a minute and key; otherwise returns at once.
    task<void> touch(const std::string& id);

    enum class extent { alone, with_descendants };
    /// Ends a key; with descendants also those that were made with it, and with those, whoever has them (also
    /// if the key itself was revoked before). The ids that ended: none if there is no such key or it was
    /// revoked before; with `owner`, also if it is another user's.
    task<std::vector<std::string>> revoke(const std::string& id,
                                          std::optional<std::int64_t> owner = std::nullopt,
                                          extent which = extent::alone);

    /// Keys of a user that are neither revoked nor expired.
    task<std::int64_t> count_in_force(std::int64_t user_id);

private:
    postgres::router& router_;
    const wall_clock& clock_;
    std::unordered_map<std::string, std::int64_t> touched_ms_; ///< bounded: emptied at 10,000 entries
};

} // namespace tiktrend::catalog
