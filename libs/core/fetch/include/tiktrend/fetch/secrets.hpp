#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::fetch {

/// `text` with every secret in it replaced by ***. For what goes to logs, results and files.
std::string masked(std::string text, const std::vector<std::string>& secrets);

/// Adds a secret in the forms in which it may stand in a text: as it is, and as part of an address.
void add_secret(std::vector<std::string>& secrets, std::string_view secret);

} // namespace tiktrend::fetch
