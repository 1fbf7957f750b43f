#pragma once
#include <tiktrend/sources/record.hpp>

namespace tiktrend::sources {

/// Appends a field's value as JSON. Decimals are strings, so that no reader makes doubles of them; times are
/// ISO 8601.
void append_json(std::string& out, const field_value& value);

} // namespace tiktrend::sources
