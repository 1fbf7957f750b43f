#pragma once
#include <string>
#include <string_view>

namespace tiktrend::gateway {

/// One YAML document as JSON text (YAML 1.2 core schema: plain null, booleans and numbers are what they look
/// like, quoted scalars are text). Throws std::runtime_error for what is not YAML.
std::string yaml_to_json(std::string_view yaml);

} // namespace tiktrend::gateway
