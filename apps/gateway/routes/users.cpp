#include "routes/users.hpp"

#include "json_body.hpp"
#include "json_writer.hpp"
#include "private_json.hpp"

#include <tiktrend/http/problem.hpp>

namespace tiktrend::gateway {
namespace {

std::string_view role_name(catalog::user_role role) {
    return role == catalog::user_role::admin ? "admin" : "user";
}

void write_user(json_object_writer& w, const catalog::user& u) {
    w.integer("id", u.id);
    w.text("email", u.email);
    w.text("role", role_name(u.role));
    w.optional_text("subject", u.subject);
    w.time("created_at", u.created_ms);
}

/// One '@' with something on both sides and neither blanks nor control characters: the rest is the mail
/// server's to judge.
bool is_address(std::string_view text) {
    const auto at = text.find('@');
    return at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
           text.find('@', at + 1) == std::string_view::npos &&
           std::none_of(text.begin(), text.end(), [](unsigned char c) { return c <= 0x20 || c == 0x7f; });
}

bool has_nul(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

struct new_user {
    std::string email;
    catalog::user_role role = catalog::user_role::user;
    std::optional<std::string> subject;
};

new_user read_new_user(const http::request& r) {
    thread_local simdjson::dom::parser parser;
    json_object_reader body{parse_json_object(parser, r), {"body"}};
    new_user out;
    out.email = body.required_text("email", 3, 320);
    if (!out.email.empty() && !is_address(out.email))
        body.fail("email", "Input should be an e-mail address", "value_error");
    if (body.one_of("role", {"user", "admin"}).value_or("user") == "admin")
        out.role = catalog::user_role::admin;
    out.subject = body.text("subject", 1, 255);
    if (out.subject && has_nul(*out.subject))
        body.fail("subject", "String should not contain U+0000", "value_error");
    body.finish();
    return out;
}

task<http::response> create(catalog::user_store& users, http::request& r) {
    const auto wanted = read_new_user(r);
    const auto made = co_await users.create(wanted.email, wanted.role, wanted.subject);
    if (!made)
        throw made.error() == catalog::errc::email_taken
            ? http::problem(409, "email_taken", "Another user has this e-mail address.")
            : http::problem(409, "subject_taken", "Another user has this subject.");
    json_object_writer w;
    write_user(w, *made);
    co_return private_json(201, w.take());
}

task<http::response> me(catalog::user_store& users, http::request& r) {
    const auto& who = principal_of(r);
    const auto user = co_await users.find(who.user_id);
    if (!user) throw http::problem(404, "user_not_found", "This user was removed.");
    json_object_writer w;
    write_user(w, *user);
    std::string scopes = "[";
    for (const auto& name : who.scopes) {
        if (scopes.size() > 1) scopes += ',';
        append_json_string(scopes, name);
    }
    w.json("scopes", scopes + ']');
    co_return private_json(200, w.take());
}

task<http::response> my_quota(quota_book& quotas, http::request& r) {
    const auto found = co_await quotas.describe(principal_of(r).user_id);
    auto response = private_json(200, *cache::body_of(found.value));
    response.headers.set("X-Cache", found.how == cache::outcome::hit_near ? "hit" : to_string(found.how));
    co_return response;
}

} // namespace

http::handler create_user(catalog::user_store& users) {
    return [&users](http::request& r) { return create(users, r); };
}

http::handler get_me(catalog::user_store& users) {
    return [&users](http::request& r) { return me(users, r); };
}

http::handler get_my_quota(quota_book& quotas) {
    return [&quotas](http::request& r) { return my_quota(quotas, r); };
}

} // namespace tiktrend::gateway
