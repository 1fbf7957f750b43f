#pragma once
#include <string>
#include <string_view>

namespace tiktrend::fetch {

/// The project as shops see it; robots.txt files name its first word.
inline constexpr std::string_view product_name = "TikTrendBot/0.1";

/// Whether a shop's operator can reach somebody there: an http(s) URL or a mail address, in one word of at
/// most 200 printable ASCII characters without parentheses (they end a comment, RFC 9110 section 5.6.5).
bool is_contact(std::string_view text) noexcept;

/// The User-Agent of somebody with this contact, "TikTrendBot/0.1 (+https://example.com/bot)", or the bare
/// name where there is none. `contact` is empty or is_contact().
std::string user_agent(std::string_view contact);

/// Whether a User-Agent that an operator wrote says how to reach them.
bool names_contact(std::string_view user_agent) noexcept;

} // namespace tiktrend::fetch
