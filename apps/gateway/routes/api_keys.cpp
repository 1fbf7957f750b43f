#include "routes/api_keys.hpp"

#include "json_body.hpp"
#include "json_writer.hpp"
#include "middleware/principal.hpp"
#include "private_json.hpp"
#include "query_reader.hpp"
#include "revocations.hpp"

#include <tiktrend/http/problem.hpp>

#include <fmt/format.h>

namespace tiktrend::gateway {
namespace {

constexpr std::int64_t max_keys_in_force = 100; ///< per user
constexpr std::int64_t max_life_s = 10LL * 366 * 24 * 3600;
constexpr std::int64_t max_id = std::numeric_limits<std::int64_t>::max();

std::string scopes_json(const catalog::scope_set& scopes) {
    std::string out = "[";
    for (const auto& name : scopes.names()) {
        if (out.size() > 1) out += ',';
        append_json_string(out, name);
    }
    return out + ']';
}

void write_key(json_object_writer& w, const catalog::api_key& k) {
    w.text("id", k.id);
    w.integer("user_id", k.user_id);
    w.text("name", k.name);
    w.json("scopes", scopes_json(k.scopes));
    w.time("created_at", k.created_ms);
    w.time("last_used_at", k.last_used_ms);
    w.time("expires_at", k.expires_ms);
    w.time("revoked_at", k.revoked_ms);
    w.optional_text("made_with", k.parent_id.empty() ? std::nullopt : std::optional{k.parent_id});
}

http::problem no_such_key() {
    return {404, "api_key_not_found", "There is no such API key, or it was revoked."};
}

struct new_key {
    std::int64_t user_id = 0;
    std::string name;
    catalog::scope_set scopes;
    std::optional<std::int64_t> life_s;
};

catalog::scope_set read_scopes(json_object_reader& body) {
    catalog::scope_set out;
    const auto member = body.any("scopes");
    if (!member) {
        body.fail("scopes", "Field required", "missing");
        return out;
    }
    simdjson::dom::array names;
    if (member->get(names) != simdjson::SUCCESS) {
        body.fail("scopes", "Input should be an array of scopes", "list_type");
        return out;
    }
    for (const auto e : names) {
        std::string_view name;
        const auto scope = e.get(name) == simdjson::SUCCESS ? catalog::parse_scope(name) : std::nullopt;
        if (!scope) {
            body.fail("scopes", "Input should be one of read, scrape, copy, admin, metrics", "enum");
            return out;
        }
        out.add(*scope);
    }
    if (out.empty()) body.fail("scopes", "List should have at least 1 item", "too_short");
    return out;
}

new_key read_new_key(const http::request& r, const principal& who) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    new_key out;
    out.name = body.text("name", 0, 200).value_or("");
    if (out.name.find('\0') != std::string::npos)
        body.fail("name", "String should not contain U+0000", "value_error");
    out.scopes = read_scopes(body);
    out.life_s = body.integer("expires_in", 1, max_life_s);
    out.user_id = body.integer("user_id", 1, max_id).value_or(who.user_id);
    body.finish();
    return out;
}

struct services {
    catalog::api_key_store& keys;
    catalog::user_store& users;
};

/// The id of the key that asks; empty for a token.
std::string key_of(const principal& who) {
    constexpr std::string_view prefix = "key:";
    return who.credential.starts_with(prefix) ? who.credential.substr(prefix.size()) : std::string{};
}

task<http::response> create(services s, http::request& r) {
    const auto& who = principal_of(r);
    const auto wanted = read_new_key(r, who);
    for (const auto& name : wanted.scopes.names())
        if (!who.may(name))
            throw http::problem(
                403, "insufficient_scope",
                fmt::format("This credential lacks the scope '{}', so it cannot give it away.", name))
                .with_header(
                    "WWW-Authenticate",
                    fmt::format(R"(Bearer realm="tiktrend", error="insufficient_scope", scope="{}")", name));
    // To somebody who may not see them, other users do not exist.
    if (wanted.user_id != who.user_id && (!who.is_admin() || !co_await s.users.find(wanted.user_id)))
        throw http::problem(404, "user_not_found", "There is no such user.");
    if (co_await s.keys.count_in_force(wanted.user_id) >= max_keys_in_force)
        throw http::problem(409, "too_many_keys",
                            fmt::format("A user may have {} keys; revoke one first.", max_keys_in_force));
    // No key outlives the credential that made it: a stolen one would be good for ever.
    auto expires_ms = who.expires_ms;
    if (wanted.life_s) {
        const auto asked_ms = system_wall_clock().now_ms() + *wanted.life_s * 1000;
        expires_ms = std::min(asked_ms, expires_ms.value_or(asked_ms));
    }
    const auto made =
        co_await s.keys.create(wanted.user_id, wanted.name, wanted.scopes, expires_ms, key_of(who));
    json_object_writer w;
    w.text("key", made.text);
    write_key(w, made.key);
    co_return private_json(201, w.take());
}

task<http::response> list(catalog::api_key_store& keys, http::request& r) {
    const auto& who = principal_of(r);
    query_reader query{r};
    const auto user_id = query.integer("user_id", 1, max_id).value_or(who.user_id);
    query.finish();
    if (!who.may_see(user_id)) throw http::problem(404, "user_not_found", "There is no such user.");
    std::string items = "[";
    for (const auto& k : co_await keys.list(user_id)) {
        if (items.size() > 1) items += ',';
        json_object_writer w;
        write_key(w, k);
        items += w.take();
    }
    json_object_writer w;
    w.json("items", items + ']');
    co_return private_json(200, w.take());
}

task<http::response> revoke(catalog::api_key_store& keys, redis::client& cache, http::request& r) {
    const auto& who = principal_of(r);
    using extent = catalog::api_key_store::extent;
    query_reader query{r};
    const auto which = query.flag("descendants").value_or(false) ? extent::with_descendants : extent::alone;
    query.finish();
    const std::string id{r.param("id")};
    const auto owner = who.is_admin() ? std::nullopt : std::optional{who.user_id};
    auto ended = co_await keys.revoke(id, owner, which);
    if (ended.empty()) throw no_such_key();
    co_await announce_revocations(cache, std::move(ended));
    co_return http::response::empty(204);
}

} // namespace

http::handler create_api_key(catalog::api_key_store& keys, catalog::user_store& users) {
    const services s{keys, users};
    return [s](http::request& r) { return create(s, r); };
}

http::handler list_api_keys(catalog::api_key_store& keys) {
    return [&keys](http::request& r) { return list(keys, r); };
}

http::handler revoke_api_key(catalog::api_key_store& keys, redis::client& cache) {
    return [&keys, &cache](http::request& r) { return revoke(keys, cache, r); };
}

} // namespace tiktrend::gateway
