#pragma once
#include <tiktrend/base/error.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

using SSL_CTX = struct ssl_ctx_st;

namespace tiktrend::http {

struct certificate_files {
    std::string chain; ///< PEM: the server's certificate, then the intermediate ones
    std::string key;   ///< PEM, without a passphrase
};

/// The certificate that servers show, replaced while they run: connections that stand keep the one they have.
/// Thread-safe.
class certificates {
public:
    /// Throws std::runtime_error with the reason if the files cannot be read or do not belong together.
    explicit certificates(certificate_files files);

    /// Reads the files again. False, and the reason, if they cannot be used; then nothing changes.
    bool reload(std::string& why);
    /// True if a file is not the one that was read last (another time, size or inode; links are followed, as
    /// Kubernetes replaces links).
    bool has_changed() const;

    /// For a new connection; never null.
    std::shared_ptr<SSL_CTX> current() const;
    /// Unix time at which the certificate in use ends.
    std::int64_t expires_at() const;

private:
    struct loaded {
        std::shared_ptr<SSL_CTX> context;
        std::int64_t expires_at = 0;
        std::string stamp; ///< of the files
    };
    static loaded load(const certificate_files& files);
    static std::string stamp_of(const certificate_files& files);

    const certificate_files files_;
    mutable std::mutex mutex_;
    loaded loaded_;
};

} // namespace tiktrend::http
