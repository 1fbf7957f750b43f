#include <tiktrend/fetch/failure.hpp>

#include <fmt/format.h>

namespace tiktrend::fetch {

std::string_view to_string(failure_kind kind) noexcept {
    switch (kind) {
    case failure_kind::bad_url:
        return "bad_url";
    case failure_kind::scheme_forbidden:
        return "scheme_forbidden";
    case failure_kind::port_forbidden:
        return "port_forbidden";
    case failure_kind::address_forbidden:
        return "address_forbidden";
    case failure_kind::host_not_allowed:
        return "host_not_allowed";
    case failure_kind::too_many_redirects:
        return "too_many_redirects";
    case failure_kind::dns_failed:
        return "dns_failed";
    case failure_kind::connection_failed:
        return "connection_failed";
    case failure_kind::tls_failed:
        return "tls_failed";
    case failure_kind::timeout:
        return "timeout";
    case failure_kind::bad_response:
        return "bad_response";
    case failure_kind::body_too_large:
        return "body_too_large";
    case failure_kind::bad_encoding:
        return "bad_encoding";
    case failure_kind::truncated_body:
        return "truncated_body";
    case failure_kind::overloaded:
        return "overloaded";
    case failure_kind::cancelled:
        return "cancelled";
    case failure_kind::proxy_failed:
        return "proxy_failed";
    }
    return "unknown";
}

std::string_view to_string(failure_class c) noexcept {
    return c == failure_class::transient ? "transient" : "permanent";
}

failure_class class_of(failure_kind kind) noexcept {
    switch (kind) {
    case failure_kind::dns_failed:
    case failure_kind::connection_failed:
    case failure_kind::tls_failed:
    case failure_kind::timeout:
    case failure_kind::bad_response:
    case failure_kind::truncated_body:
    case failure_kind::overloaded:
    case failure_kind::cancelled:
    case failure_kind::proxy_failed:
        return failure_class::transient;
    default:
        return failure_class::permanent;
    }
}

std::string failure::message() const {
    std::string out{to_string(kind)};
    if (!detail.empty()) out += ": " + detail;
    if (!url.empty()) out += fmt::format(" ({})", url);
    return out;
}

} // namespace tiktrend::fetch
