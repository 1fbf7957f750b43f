#include <tiktrend/testing/process.hpp>
#include <tiktrend/testing/server_certificate.hpp>

#include <filesystem>
#include <stdexcept>

namespace tiktrend::testing {

void make_server_certificate(const std::string& chain, const std::string& key, const std::string& host) {
    process::options quiet;
    quiet.output = chain + ".log";
    const auto part = [](const std::string& path) { return path + ".part"; };
    const bool is_ip = host.find_first_not_of("0123456789.") == std::string::npos;
    if (run({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "2", "-subj", "/CN=" + host, "-addext",
             (is_ip ? "subjectAltName=IP:" : "subjectAltName=DNS:") + host, "-keyout", part(key), "-out",
             part(chain)},
            quiet) != 0)
        throw std::runtime_error("openssl made no certificate; see " + quiet.output.string());
    std::filesystem::rename(part(key), key);
    std::filesystem::rename(part(chain), chain);
}

} // namespace tiktrend::testing
