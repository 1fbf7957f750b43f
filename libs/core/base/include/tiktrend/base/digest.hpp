#pragma once
#include <array>
#include <string>
#include <string_view>

namespace tiktrend {

using sha256_digest = std::array<unsigned char, 32>;

/// SHA-256 (FIPS 180-4) of any bytes. Throws std::runtime_error when OpenSSL has none, as under a policy that
/// forbids it.
sha256_digest sha256(std::string_view bytes);

/// 64 lower-case hexadecimal digits.
std::string sha256_hex(std::string_view bytes);

/// The bytes themselves, to store or to send.
std::string_view bytes_of(const sha256_digest& digest) noexcept;

/// Two lower-case hexadecimal digits a byte.
std::string to_hex(std::string_view bytes);

} // namespace tiktrend
