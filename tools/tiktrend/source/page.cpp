// tiktrend source try and record: one page, asked or recorded, read by a definition.
#include "page.hpp"

#include "../command.hpp"
#include "../database.hpp"
#include "../usage_error.hpp"
#include "file.hpp"

#include <tiktrend/base/json_text.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/fetch/secrets.hpp>
#include <tiktrend/sources/describe.hpp>
#include <tiktrend/sources/input.hpp>
#include <tiktrend/sources/page.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iterator>

namespace tiktrend::cli {
namespace {

using texts = std::map<std::string, std::string, std::less<>>;

texts pairs_of(const std::vector<std::string>& given, std::string_view option) {
    texts out;
    for (const auto& text : given) {
        const auto equals = text.find('=');
        if (equals == std::string::npos || equals == 0)
            throw usage_error(fmt::format("{}: \"{}\": expected name=value", option, text));
        out[text.substr(0, equals)] = text.substr(equals + 1);
    }
    return out;
}

bool has_input(const sources::definition& d, std::string_view name) {
    return std::any_of(d.inputs.begin(), d.inputs.end(), [&](const auto& i) { return i.name == name; });
}

/// Inputs as the JSON object that a job would carry.
sources::input_values inputs_of(const sources::definition& d, const page_options& options) {
    auto given = pairs_of(options.inputs, "--input");
    if (!options.url.empty() && has_input(d, "url")) given["url"] = options.url;
    std::string json = "{";
    for (const auto& [name, text] : given) {
        if (json.size() > 1) json += ',';
        append_json_string(json, name);
        json += ':';
        const auto input =
            std::find_if(d.inputs.begin(), d.inputs.end(), [&](const auto& i) { return i.name == name; });
        const bool is_bare = input != d.inputs.end() && (input->type == sources::input_type::integer ||
                                                         input->type == sources::input_type::boolean);
        if (is_bare)
            json += text;
        else
            append_json_string(json, text);
    }
    auto values = sources::validate_input(d, json + "}");
    if (values) return std::move(*values);
    std::string problems;
    for (const auto& e : values.error())
        problems += fmt::format("{}input {}: {}", problems.empty() ? "" : "\n", fmt::join(e.loc, "."), e.msg);
    throw usage_error(problems);
}

struct answered {
    int status = 200;
    std::string url;
    std::string requested_url;
    std::string content_type;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

task<int> ask(const fetch::request& request, fetch::client_options settings, answered& out) {
    std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
    fetch::client client{co_await asio::this_coro::executor, std::move(settings)};
    auto got = co_await client.fetch(request);
    co_await client.stop();
    if (!got) {
        fmt::print("{}\n", got.error().message());
        co_return exit_failed;
    }
    out.status = got->status;
    out.url = got->url;
    if (!got->redirects.empty()) out.requested_url = got->redirects.front();
    out.content_type = got->header_value("content-type");
    for (const auto& h : got->headers)
        out.headers.emplace_back(h.name, h.value);
    out.body = std::move(got->body);
    co_return exit_ok;
}

/// Who asks, in the request's User-Agent.
std::string contact_of(const page_options& options) {
    if (!options.contact.empty() && !fetch::is_contact(options.contact))
        throw usage_error("--contact: expected an http(s) URL or a mail address, where shops can reach you");
    return options.contact;
}

/// The page that the options name; nothing after saying why not.
std::optional<answered> page_of(const sources::definition& d, const sources::input_values& inputs,
                                const page_options& options, const sources::page_state& state) {
    answered out;
    sources::render_context context;
    context.secrets = pairs_of(options.secrets, "--secret");
    context.plain_http_hosts = options.plain_http;
    auto spec = sources::render_request(d, inputs, context, state);
    if (!options.response.empty()) {
        std::ifstream in{options.response, std::ios::binary};
        if (!in) throw usage_error(fmt::format("{}: cannot be read", options.response));
        out.body.assign(std::istreambuf_iterator<char>{in}, {});
        out.content_type = options.content_type;
        out.url = spec ? spec->url : options.url;
        return out;
    }
    if (!spec) {
        fmt::print("{}\n", spec.error().message);
        return std::nullopt;
    }
    fetch::request request{spec->url};
    request.method = spec->method;
    request.body = spec->body;
    request.has_secret_body = spec->has_secrets && !spec->body.empty();
    for (const auto& h : spec->headers)
        request.headers.push_back({h.name, h.value, h.is_secret});
    for (const auto& [name, value] : context.secrets)
        request.secrets.push_back(value);
    request.max_body_bytes = static_cast<std::size_t>(d.limits.max_bytes);
    if (!d.hosts.empty())
        request.allow_host = [&d](std::string_view host) { return sources::is_host_allowed(d.hosts, host); };
    fetch::client_options settings;
    fetch::address_guard::rules rules;
    for (const auto& text : options.allow) {
        auto entry = fetch::parse_allow_entry(text);
        if (!entry) throw usage_error(fmt::format("--allow: {}", entry.error()));
        rules.allow.push_back(std::move(*entry));
    }
    rules.own_addresses = fetch::own_addresses();
    settings.guard = fetch::address_guard{std::move(rules)};
    settings.user_agent = fetch::user_agent(contact_of(options));
    fmt::print("asking {} {}\n", spec->method, spec->display_url);
    if (run(ask(request, std::move(settings), out)) != exit_ok) return std::nullopt;
    fmt::print("HTTP {}, {} bytes, {}\n", out.status, out.body.size(), out.content_type);
    return out;
}

std::string text_of(const sources::record& r, std::string_view field) {
    if (r.find(field) == nullptr) {
        // a field of the definition's own
        const auto at = r.extra.find(fmt::format("\"{}\":", field));
        if (at == std::string::npos) return "-";
        return r.extra.substr(at + field.size() + 3, 100);
    }
    if (const auto t = r.text(field)) return std::string{*t};
    if (const auto i = r.integer(field)) return std::to_string(*i);
    if (const auto b = r.boolean(field)) return *b ? "true" : "false";
    const auto list = r.list(field);
    return fmt::format("{}", fmt::join(list.begin(), list.end(), ", "));
}

void print_fields(const sources::definition& d, const sources::page_result& page) {
    const auto fields = sources::describe_fields(d);
    const auto& stats = page.statistics;
    for (std::size_t i = 0; i < fields.size() && i < stats.fields.size(); ++i) {
        const auto& s = stats.fields[i];
        const auto value =
            page.records.empty() ? std::string{"-"} : text_of(page.records.front(), fields[i].name);
        fmt::print("  {:<14} {:<40} missing {}, refused {}\n", fields[i].name, value.substr(0, 80), s.missing,
                   s.rejected);
        for (std::size_t a = 0; a < fields[i].alternatives.size() && a < s.won.size(); ++a)
            if (s.won[a] > 0)
                fmt::print("  {:<14}   {} × from {}\n", "", s.won[a], fields[i].alternatives[a]);
    }
}

/// Each with the place in the file, where the value was looked for and what stood there.
void print_problems(const source_file& file, const sources::page_result& page) {
    const auto fields = sources::describe_fields(*file.definition);
    for (const auto& p : page.statistics.problems) {
        const auto at =
            std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.name == p.field; });
        if (at == fields.end()) {
            fmt::print("{}: {}: row {}: {}\n", file.path.string(), p.field, p.row, p.message);
            continue;
        }
        fmt::print("{}:{}: fields.{}: row {}: {}", file.path.string(), at->line, p.field, p.row, p.message);
        if (!at->alternatives.empty()) fmt::print("; looked at {}", fmt::join(at->alternatives, ", then "));
        fmt::print("\n");
    }
}

struct reading {
    source_file file;
    std::string inputs; ///< a JSON object
    answered page;
    sources::page_result result;
};

std::optional<reading> read(const page_options& options) {
    auto file = read_source(options.file);
    if (!file) return std::nullopt;
    const auto& d = *file->definition;
    const auto inputs = inputs_of(d, options);
    auto state = sources::first_page(d);
    if (!options.url.empty() && !has_input(d, "url")) state.url = options.url;
    auto page = page_of(d, inputs, options, state);
    if (!page) return std::nullopt;
    sources::response_view view;
    view.status = page->status;
    view.content_type = page->content_type;
    view.url = page->url;
    view.requested_url = page->requested_url;
    view.body = page->body;
    for (const auto& [name, value] : page->headers) {
        view.headers.emplace_back(name, value);
        if (name == "location") view.location = value;
    }
    auto result = sources::read_page(d, inputs, std::move(state), view);
    return reading{std::move(*file), inputs.json(), std::move(*page), std::move(result)};
}

} // namespace

int try_page(const page_options& options) {
    const auto done = read(options);
    if (!done) return exit_failed;
    const auto& result = done->result;
    const auto& stats = result.statistics;
    fmt::print("outcome {}\n", result.message.empty() ? name_of(result.outcome) : result.message);
    fmt::print("{} rows, {} valid, {} duplicates, {} links to follow, next page: {}\n", stats.rows,
               stats.valid, stats.duplicates, result.follow.size(),
               !result.next                   ? std::string{name_of(result.end)}
               : !result.next->url.empty()    ? result.next->url
               : !result.next->cursor.empty() ? result.next->cursor
                                              : std::to_string(result.next->number));
    print_fields(*done->file.definition, result);
    print_problems(done->file, result);
    if (!result.records.empty()) fmt::print("first record: {}\n", sources::to_json(result.records.front()));
    return reaction_to(result.outcome) == sources::reaction::proceed ? exit_ok : exit_failed;
}

int record_page(const page_options& options) {
    if (options.name.find("..") != std::string::npos || options.name.starts_with('/'))
        throw usage_error("--name: expected a file name below fixtures/<id>");
    const auto done = read(options);
    if (!done) return exit_failed;
    const auto& d = *done->file.definition;
    const auto name = fmt::format("fixtures/{}/{}", d.id, options.name);
    const auto path = done->file.path.parent_path() / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream out{path, std::ios::binary};
    out << done->page.body;
    out.close();
    if (!out) {
        fmt::print("{}: cannot be written\n", path.string());
        return exit_failed;
    }
    const auto& result = done->result;
    fmt::print(
        "wrote {} ({} bytes). Look at it, take out what is personal, and add to the definition's tests:\n\n",
        path.string(), done->page.body.size());
    fmt::print("  - response: {}\n", name);
    if (!d.inputs.empty()) fmt::print("    input: {}\n", done->inputs);
    std::vector<std::string> secrets;
    for (const auto& [name_of_secret, value] : pairs_of(options.secrets, "--secret"))
        fetch::add_secret(secrets, value);
    const auto base = fetch::masked(done->page.url, secrets); // goes into a file that others read
    fmt::print("    status: {}\n    content_type: {}\n    base: {}\n    expect:\n", done->page.status,
               done->page.content_type.empty() ? "application/json" : done->page.content_type, base);
    fmt::print("      outcome: {}\n      count: {}\n", name_of(result.outcome), result.records.size());
    if (!result.records.empty()) fmt::print("      first: {}\n", sources::to_json(result.records.front()));
    return exit_ok;
}

} // namespace tiktrend::cli
