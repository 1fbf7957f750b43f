#pragma once
#include <tiktrend/http/message.hpp>

#include <string_view>

namespace tiktrend::http {

/// application/json or a "+json" type; a charset parameter, if any, says UTF-8 (RFC 8259 section 8.1).
bool is_json_type(std::string_view content_type) noexcept;

/// For handlers that read a JSON body. Throws problem 415 unless Content-Type is a JSON type and the body
/// comes without a Content-Encoding.
void require_json(const request& r);

} // namespace tiktrend::http
