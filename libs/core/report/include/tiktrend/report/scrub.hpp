#pragma once
#include <string>
#include <string_view>

namespace tiktrend::report {

/// True for names whose values are never sent: password, secret, token, key, authorization, cookie, dsn …, in
/// any case and as a part of a longer name.
bool is_secret_name(std::string_view name);

/// The text with what looks like a secret replaced by "[Filtered]": the user part of URLs, "Bearer …" and
/// "Basic …", API keys of this service (ttk_…), JSON Web Tokens, and values after `password=` and the like,
/// also quoted, as members of JSON objects, and as cookies, keys and passwords of header fields. At most
/// `max_bytes` are kept, no character of UTF-8 cut in two.
std::string scrub(std::string_view text, std::size_t max_bytes = 2000);

} // namespace tiktrend::report
