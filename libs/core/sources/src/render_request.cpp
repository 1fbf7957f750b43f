#include "plan.hpp"
#include "values/web_address.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/sources/request.hpp>

#include <boost/url/parse.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::sources {
namespace {

/// What may stand in a parameter besides unreserved characters: not '&', '=', '+', '#', which would end or
/// change it.
constexpr std::string_view parameter_characters = "!$'()*,:@/?";

/// One URL under construction, beside its form for logs.
struct url_builder {
    std::string url;
    std::string display;
    bool hides = false;

    void both(std::string_view text) {
        url += text;
        display += text;
    }
};

/// The first secret of `text` that the operator gave no value for.
std::optional<std::string> missing_secret(const text_template& text, const render_context& context) {
    for (const auto& piece : text.pieces()) {
        if (piece.type != template_piece::kind::secret) continue;
        const auto found = context.secrets.find(piece.text);
        if (found == context.secrets.end() || found->second.empty()) return piece.text;
    }
    return std::nullopt;
}

render_error secret_error(std::string_view name) {
    return {render_errc::missing_secret,
            fmt::format("the operator gave no value for the secret \"{}\"", name)};
}

/// Appends `name=value` pairs; parameters whose optional input is absent are left out.
std::optional<render_error> append_query(const request_rule& rule, const template_values& values,
                                         const render_context& context, url_builder& out) {
    char separator = out.url.find('?') == std::string::npos ? '?' : '&';
    for (const auto& [name, text] : rule.query) {
        if (auto secret = missing_secret(text, context)) return secret_error(*secret);
        std::string value;
        if (!text.render(values, value)) continue;
        std::string encoded{separator};
        separator = '&';
        append_percent_encoded(encoded, name, parameter_characters);
        encoded += '=';
        out.both(encoded);
        encoded.clear();
        append_percent_encoded(encoded, value, parameter_characters);
        out.url += encoded;
        out.display += text.has_secret() ? "***" : encoded;
        out.hides = out.hides || text.has_secret();
    }
    return std::nullopt;
}

std::optional<render_error> append_headers(const request_rule& rule, const template_values& values,
                                           const render_context& context, request_spec& out) {
    for (const auto& header : rule.headers) {
        if (auto secret = missing_secret(header.value, context)) return secret_error(*secret);
        std::string value;
        if (!header.value.render(values, value)) continue;
        const bool has_control = std::any_of(value.begin(), value.end(), [](char c) {
            return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
        });
        if (has_control || value.size() > 8192)
            return render_error{
                render_errc::bad_value,
                fmt::format("the value of the header \"{}\" holds a control character or is too long",
                            header.name)};
        out.has_secrets = out.has_secrets || header.value.has_secret();
        out.headers.push_back({header.name, std::move(value), header.value.has_secret()});
    }
    return std::nullopt;
}

/// `text` into `out`; false if a variable has no value.
std::optional<render_error> append_template(const text_template& text, const template_values& values,
                                            const render_context& context, std::string& out,
                                            bool& has_value) {
    if (auto secret = missing_secret(text, context)) return secret_error(*secret);
    has_value = text.render(values, out);
    return std::nullopt;
}

std::optional<render_error> append_json_body(const request_rule& rule, const template_values& values,
                                             const render_context& context, request_spec& out) {
    for (const auto& piece : rule.json_body) {
        if (!piece.value) {
            out.body += piece.literal;
            continue;
        }
        std::string text;
        bool has_value = false;
        if (auto error = append_template(*piece.value, values, context, text, has_value)) return error;
        out.has_secrets = out.has_secrets || piece.value->has_secret();
        if (!has_value)
            out.body += "null";
        else if (piece.is_quoted)
            append_json_string(out.body, text);
        else
            out.body += text;
    }
    return std::nullopt;
}

/// application/x-www-form-urlencoded, as the URL standard writes it but for the blank, which is %20.
std::optional<render_error> append_form_body(const request_rule& rule, const template_values& values,
                                             const render_context& context, request_spec& out) {
    for (const auto& [name, value] : rule.form_body) {
        std::string text;
        bool has_value = false;
        if (auto error = append_template(value, values, context, text, has_value)) return error;
        out.has_secrets = out.has_secrets || value.has_secret();
        if (!has_value) continue;
        if (!out.body.empty()) out.body += '&';
        append_percent_encoded(out.body, name, "");
        out.body += '=';
        append_percent_encoded(out.body, text, "");
    }
    return std::nullopt;
}

std::optional<render_error> append_body(const request_rule& rule, const template_values& values,
                                        const render_context& context, request_spec& out) {
    using body_kind = request_rule::body_kind;
    const auto set_type = [&](std::string_view type) {
        const auto is_type = [](const auto& h) { return h.name == "content-type"; };
        if (std::none_of(out.headers.begin(), out.headers.end(), is_type))
            out.headers.push_back({"content-type", std::string{type}, false});
    };
    switch (rule.body) {
    case body_kind::none:
        return std::nullopt;
    case body_kind::json:
        set_type("application/json");
        return append_json_body(rule, values, context, out);
    case body_kind::form:
        set_type("application/x-www-form-urlencoded");
        return append_form_body(rule, values, context, out);
    case body_kind::text: {
        set_type(rule.body_type);
        out.has_secrets = out.has_secrets || rule.text_body->has_secret();
        if (auto secret = missing_secret(*rule.text_body, context)) return secret_error(*secret);
        for (const auto& piece : rule.text_body->pieces()) // a variable without a value is empty here
            out.body += value_of(piece, values).value_or("");
        return std::nullopt;
    }
    }
    return std::nullopt;
}

/// "host" and "host:port" as an operator may list them.
bool is_plain_http(const boost::urls::url_view& url, const std::vector<std::string>& hosts) {
    const std::string host{url.encoded_host()};
    const std::string host_and_port =
        fmt::format("{}:{}", host, url.has_port() ? std::string{url.port()} : "443");
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const auto& h) { return h == host || h == host_and_port; });
}

/// The address of the page: the link that led to it, or what the template and the query give.
result<url_builder, render_error> build_url(const definition& source, const template_values& values,
                                            const render_context& context, const page_state& page) {
    const auto& rule = source.plan->request;
    if (!page.url.empty()) return url_builder{page.url, page.url, false};
    url_template::rendered rendered;
    std::string problem;
    switch (rule.url.render(values, rendered, &problem)) {
    case url_template::failure::none:
        break;
    case url_template::failure::no_value:
        if (std::find(source.secrets.begin(), source.secrets.end(), problem) != source.secrets.end())
            return secret_error(problem);
        return render_error{render_errc::bad_value, fmt::format("\"{}\" has no value", problem)};
    case url_template::failure::bad_value:
        return render_error{render_errc::bad_value,
                            fmt::format("the value of \"{}\" may not be part of a host", problem)};
    }
    url_builder built{std::move(rendered.url), {}, rule.url.has_secret()};
    built.display = built.hides ? std::move(rendered.display) : built.url;
    if (auto error = append_query(rule, values, context, built)) return *error;
    return built;
}

} // namespace

result<request_spec, render_error> render_request(const definition& source, const input_values& inputs,
                                                  const render_context& context, const page_state& page) {
    const auto& rule = source.plan->request;
    const template_values values{&inputs, &page, &context.secrets, {}, {}};
    auto address = build_url(source, values, context, page);
    if (!address) return address.error();
    auto& built = *address;

    const auto parsed = boost::urls::parse_uri(built.url);
    const bool is_web = parsed.has_value() && (parsed->scheme_id() == boost::urls::scheme::https ||
                                               parsed->scheme_id() == boost::urls::scheme::http);
    const bool is_good = is_web && has_sound_authority(built.url) && built.url.size() <= 8192;
    if (!is_good)
        return render_error{render_errc::bad_url,
                            fmt::format("\"{}\" is no absolute http or https URL", excerpt(built.display))};
    const std::string host{parsed->encoded_host()};
    if (!is_host_allowed(source.hosts, host))
        return render_error{render_errc::host_not_allowed,
                            fmt::format("\"{}\" is not one of the hosts of {}", host, source.id)};

    request_spec out;
    if (rule.is_post) out.method = "POST";
    const bool is_downgraded =
        parsed->scheme_id() == boost::urls::scheme::https && is_plain_http(*parsed, context.plain_http_hosts);
    out.has_secrets = built.hides;
    out.url = std::move(built.url);
    out.display_url = std::move(built.display);
    if (is_downgraded) { // "https" → "http"
        out.url.erase(4, 1);
        out.display_url.erase(4, 1);
    }
    out.conditional = source.conditional;
    if (auto error = append_headers(rule, values, context, out)) return *error;
    if (auto error = append_body(rule, values, context, out)) return *error;
    return out;
}

} // namespace tiktrend::sources
