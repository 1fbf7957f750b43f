#include "glob.hpp"

#include <tiktrend/sources/definition.hpp>
#include <tiktrend/sources/page.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace tiktrend::sources {

std::string to_string(const definition_error& e) {
    std::string out = e.file;
    if (e.line > 0) out += fmt::format(":{}:{}", e.line, e.column);
    if (!e.field.empty()) out += ": " + e.field;
    return out + ": " + e.message;
}

void throw_exception_from_error(const std::vector<definition_error>& errors, const boost::source_location&) {
    std::string all;
    for (const auto& e : errors)
        all += (all.empty() ? "" : "\n") + to_string(e);
    throw std::runtime_error{all};
}

void throw_exception_from_error(const std::vector<invalid_field>& errors, const boost::source_location&) {
    std::string all;
    for (const auto& e : errors)
        all += fmt::format("{}{}: {}", all.empty() ? "" : "\n", fmt::join(e.loc, "."), e.msg);
    throw std::runtime_error{all};
}

void throw_exception_from_error(const render_error& error, const boost::source_location&) {
    throw std::runtime_error{error.message};
}

std::string_view name_of(record_kind kind) noexcept {
    return kind == record_kind::product ? "product" : "trend";
}

std::string_view name_of(input_type type) noexcept {
    switch (type) {
    case input_type::string:
        return "string";
    case input_type::integer:
        return "integer";
    case input_type::boolean:
        return "bool";
    case input_type::currency:
        return "currency";
    case input_type::host:
        return "host";
    case input_type::origin:
        return "origin";
    case input_type::url:
        return "url";
    case input_type::css:
        return "css";
    }
    return "string";
}

std::string_view name_of(outcome o) noexcept {
    switch (o) {
    case outcome::ok:
        return "ok";
    case outcome::empty:
        return "empty";
    case outcome::not_modified:
        return "not_modified";
    case outcome::rate_limited:
        return "rate_limited";
    case outcome::blocked:
        return "blocked";
    case outcome::login_required:
        return "login_required";
    case outcome::not_found:
        return "not_found";
    case outcome::retired:
        return "retired";
    case outcome::invalid:
        return "invalid";
    case outcome::transient:
        return "transient";
    case outcome::unexpected_empty:
        return "unexpected_empty";
    case outcome::unexpected_content:
        return "unexpected_content";
    case outcome::bad_json:
        return "bad_json";
    case outcome::empty_body:
        return "empty_body";
    }
    return "invalid";
}

reaction reaction_to(outcome o) noexcept {
    switch (o) {
    case outcome::ok:
    case outcome::empty:
    case outcome::not_modified:
        return reaction::proceed;
    case outcome::rate_limited:
        return reaction::wait;
    case outcome::transient:
    case outcome::bad_json:
        return reaction::retry;
    case outcome::blocked:
    case outcome::empty_body:
    case outcome::unexpected_content:
        return reaction::cool_down;
    case outcome::login_required:
    case outcome::not_found:
    case outcome::retired:
    case outcome::invalid:
    case outcome::unexpected_empty:
        return reaction::give_up;
    }
    return reaction::give_up;
}

std::string_view name_of(page_end e) noexcept {
    switch (e) {
    case page_end::none:
        return "none";
    case page_end::single:
        return "single";
    case page_end::until:
        return "until";
    case page_end::no_more:
        return "no_more";
    case page_end::last_page:
        return "last_page";
    case page_end::no_records:
        return "no_records";
    case page_end::repeated:
        return "repeated";
    case page_end::max_pages:
        return "max_pages";
    case page_end::max_items:
        return "max_items";
    case page_end::not_modified:
        return "not_modified";
    case page_end::no_next:
        return "no_next";
    case page_end::foreign_link:
        return "foreign_link";
    case page_end::failed:
        return "failed";
    }
    return "failed";
}

limits limits::capped_by(const limits& cap) const noexcept {
    return {std::min(max_pages, cap.max_pages), std::min(max_items, cap.max_items),
            std::min(max_bytes, cap.max_bytes), std::min(deadline, cap.deadline)};
}

bool is_host_allowed(const std::vector<std::string>& patterns, std::string_view host) noexcept {
    if (patterns.empty()) return true;
    return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view p) {
        if (p.starts_with("*.")) return host.size() > p.size() - 1 && host.ends_with(p.substr(1));
        return p == host;
    });
}

} // namespace tiktrend::sources
