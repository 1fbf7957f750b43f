#pragma once
#include <string>

namespace tiktrend::testing {

/// Makes a self-signed certificate for `host` (a DNS name, or an IPv4 address) with the openssl program: PEM
/// files at these paths, replaced at once if they are there. Throws std::runtime_error if it cannot.
void make_server_certificate(const std::string& chain, const std::string& key, const std::string& host);

} // namespace tiktrend::testing
