#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/random.hpp>
#include <tiktrend/catalog/api_key_store.hpp>

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace tiktrend::catalog {
namespace {

constexpr std::string_view prefix = "ttk_";
constexpr std::size_t id_size = 8;
constexpr std::size_t secret_size = 43; // 62^43 > 2^256
constexpr std::size_t key_size = prefix.size() + id_size + 1 + secret_size;
constexpr std::string_view alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr std::int64_t touch_interval_ms = 60'000;
constexpr std::size_t max_touched = 10'000;

#define TT_KEY_COLUMNS                                                                                       \
    "id, user_id, name, array_to_string(scopes, ','), (extract(epoch FROM created_at) * 1000)::bigint, "     \
    "(extract(epoch FROM last_used_at) * 1000)::bigint, (extract(epoch FROM expires_at) * 1000)::bigint, "   \
    "(extract(epoch FROM revoked_at) * 1000)::bigint, coalesce(parent_id, '')"

constexpr std::string_view insert_key =
    "INSERT INTO api_keys (id, user_id, name, scopes, sha256, expires_at, parent_id) "
    "VALUES ($1::text, $2::bigint, $3::text, $4::text[], $5::bytea, "
    "'epoch'::timestamptz + $6::bigint * interval '1 millisecond', nullif($7::text, '')) "
    "RETURNING " TT_KEY_COLUMNS;
constexpr std::string_view find_key =
    "SELECT " TT_KEY_COLUMNS ", encode(sha256, 'hex') FROM api_keys WHERE id = $1::text";
constexpr std::string_view list_keys =
    "SELECT " TT_KEY_COLUMNS " FROM api_keys WHERE user_id = $1::bigint ORDER BY created_at, id";
constexpr std::string_view touch_key =
    "UPDATE api_keys SET last_used_at = now() WHERE id = $1::text "
    "AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')";
constexpr std::string_view revoke_keys =
    "WITH RECURSIVE ended (id) AS (SELECT id FROM api_keys WHERE id = $1::text "
    "AND ($2::bigint IS NULL OR user_id = $2::bigint) "
    "UNION SELECT k.id FROM api_keys k JOIN ended e ON k.parent_id = e.id WHERE $3::boolean) "
    "UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM ended) AND revoked_at IS NULL "
    "RETURNING id";
constexpr std::string_view count_keys =
    "SELECT count(*) FROM api_keys WHERE user_id = $1::bigint AND revoked_at IS NULL "
    "AND (expires_at IS NULL OR expires_at > now())";

#undef TT_KEY_COLUMNS

bool is_alphanumeric(std::string_view s) noexcept {
    return s.find_first_not_of(alphabet) == std::string_view::npos;
}

/// The 256-bit number in base 62, `width` digits.
std::string base62(std::string_view bytes, std::size_t width) {
    std::vector<unsigned char> number{bytes.begin(), bytes.end()};
    std::string out(width, alphabet[0]);
    for (std::size_t i = width; i-- > 0;) {
        unsigned rest = 0;
        for (auto& byte : number) {
            const unsigned value = rest << 8 | byte;
            byte = static_cast<unsigned char>(value / 62);
            rest = value % 62;
        }
        out[i] = alphabet[rest];
    }
    return out;
}

scope_set scopes_of(std::string_view list) {
    scope_set out;
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (const auto s = parse_scope(list.substr(0, comma))) out.add(*s);
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return out;
}

api_key read_key(const postgres::row& r) {
    api_key out;
    out.id = r[0].text();
    out.user_id = r[1].int64();
    out.name = r[2].text();
    out.scopes = scopes_of(r[3].text());
    out.created_ms = r[4].int64();
    out.last_used_ms = r[5].optional_int64();
    out.expires_ms = r[6].optional_int64();
    out.revoked_ms = r[7].optional_int64();
    out.parent_id = r[8].text();
    return out;
}

} // namespace

api_key_text api_key_text::generate() {
    api_key_text out;
    out.id = base62(random_bytes(16), id_size);
    out.text = std::string{prefix} + out.id + "_" + base62(random_bytes(32), secret_size);
    return out;
}

std::optional<std::string_view> api_key_text::id_of(std::string_view text) noexcept {
    if (text.size() != key_size || !text.starts_with(prefix) || text[prefix.size() + id_size] != '_')
        return std::nullopt;
    const auto id = text.substr(prefix.size(), id_size);
    if (!is_alphanumeric(id) || !is_alphanumeric(text.substr(prefix.size() + id_size + 1)))
        return std::nullopt;
    return id;
}

task<api_key_store::created> api_key_store::create(std::int64_t user_id, const std::string& name,
                                                   scope_set scopes, std::optional<std::int64_t> expires_ms,
                                                   const std::string& parent_id) {
    const auto key = api_key_text::generate();
    postgres::array names{postgres::array::element::text};
    for (const auto& s : scopes.names())
        names.add(s);
    auto values = postgres::params::of(key.id, user_id, name);
    values.add(std::move(names)).add_bytes(bytes_of(sha256(key.text))).add(expires_ms).add(parent_id);
    const auto made = co_await router_.write().query(insert_key, values);
    co_return created{key.text, read_key(made.front())};
}

task<std::optional<api_key>> api_key_store::find(const std::string& id) {
    const auto values = postgres::params::of(id);
    const auto found = co_await router_.find(find_key, values);
    if (found.empty()) co_return std::nullopt;
    co_return read_key(found.front());
}

task<std::vector<api_key>> api_key_store::list(std::int64_t user_id) {
    const auto values = postgres::params::of(user_id);
    const auto found = co_await router_.write().query(list_keys, values);
    std::vector<api_key> out;
    for (const auto r : found)
        out.push_back(read_key(r));
    co_return out;
}

task<result<api_key>> api_key_store::verify(std::string_view text) {
    const auto id = api_key_text::id_of(text);
    if (!id) co_return make_error_code(errc::bad_key);
    const auto offered = sha256_hex(text);
    const auto values = postgres::params::of(*id);
    const auto found = co_await router_.find(find_key, values);
    if (found.empty()) co_return make_error_code(errc::unknown_key);
    const auto stored = found.front()[9].text();
    if (stored.size() != offered.size() || CRYPTO_memcmp(stored.data(), offered.data(), stored.size()) != 0)
        co_return make_error_code(errc::unknown_key);
    auto key = read_key(found.front());
    if (key.revoked_ms || (key.expires_ms && *key.expires_ms <= clock_.now_ms()))
        co_return make_error_code(errc::revoked_key);
    co_return key;
}

task<void> api_key_store::touch(const std::string& id) {
    const auto now = clock_.now_ms();
    if (touched_ms_.size() >= max_touched) touched_ms_.clear();
    const auto [it, fresh] = touched_ms_.try_emplace(id, now);
    if (!fresh && now - it->second < touch_interval_ms) co_return;
    it->second = now;
    const auto values = postgres::params::of(id);
    co_await router_.write().query(touch_key, values);
}

task<std::vector<std::string>> api_key_store::revoke(const std::string& id, std::optional<std::int64_t> owner,
                                                     extent which) {
    const auto values = postgres::params::of(id, owner, which == extent::with_descendants);
    const auto ended = co_await router_.write().query(revoke_keys, values);
    std::vector<std::string> out;
    for (const auto r : ended)
        out.emplace_back(r[0].text());
    co_return out;
}

task<std::int64_t> api_key_store::count_in_force(std::int64_t user_id) {
    const auto values = postgres::params::of(user_id);
    const auto found = co_await router_.write().query(count_keys, values);
    co_return found.front()[0].int64();
}

} // namespace tiktrend::catalog
