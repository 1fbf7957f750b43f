#include <tiktrend/fetch/url.hpp>
#include <tiktrend/fetch/user_agent.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace tiktrend::fetch {
namespace {

constexpr std::size_t longest_contact = 200;

bool is_mail_address(std::string_view text) noexcept {
    const auto at = text.find('@');
    if (at == 0 || at == std::string_view::npos || text.find('@', at + 1) != std::string_view::npos)
        return false;
    const auto domain = text.substr(at + 1);
    return domain.find('.') != std::string_view::npos && !domain.starts_with('.') && !domain.ends_with('.') &&
           text.find_first_of("/:;,<>\"") == std::string_view::npos;
}

} // namespace

bool is_contact(std::string_view text) noexcept {
    if (text.empty() || text.size() > longest_contact) return false;
    const bool is_one_word = std::all_of(
        text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f' && c != '(' && c != ')'; });
    if (!is_one_word) return false;
    const bool is_web = text.starts_with("https://") || text.starts_with("http://");
    return is_web ? parse_url(text).has_value() : is_mail_address(text);
}

std::string user_agent(std::string_view contact) {
    return contact.empty() ? std::string{product_name} : fmt::format("{} (+{})", product_name, contact);
}

bool names_contact(std::string_view text) noexcept {
    for (std::size_t from = 0; from < text.size();) {
        const auto start = text.find_first_not_of(" ();,", from);
        if (start == std::string_view::npos) break;
        const auto end = std::min(text.find_first_of(" ();,", start), text.size());
        auto word = text.substr(start, end - start);
        if (word.starts_with('+')) word.remove_prefix(1);
        if (is_contact(word)) return true;
        from = end;
    }
    return false;
}

} // namespace tiktrend::fetch
