#pragma once
#include <tiktrend/queue/queue_getters.hpp>

#include <string_view>

namespace tiktrend::queue {

/// The entries of a CLIENT LIST answer whose connection name is `exact`, or starts with `prefix` if that is
/// not empty. `name` becomes the part behind the prefix.
std::vector<client_info> read_client_list(std::string_view text, std::string_view exact,
                                          std::string_view prefix);

} // namespace tiktrend::queue
