#include <tiktrend/http/certificates.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <ctime>
#include <stdexcept>

namespace tiktrend::http {
namespace {

[[noreturn]] void fail(const std::string& what) {
    std::string reason;
    while (const auto code = ERR_get_error()) {
        char text[256];
        ERR_error_string_n(code, text, sizeof text);
        reason = text;
    }
    throw std::runtime_error(what + (reason.empty() ? "" : ": " + reason));
}

/// HTTP/1.1 is all that is spoken here (RFC 7301): a client that insists on something else is told so.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                    unsigned in_size, void*) {
    static constexpr unsigned char ours[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    if (SSL_select_next_proto(&chosen, out_size, ours, sizeof ours - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/// Instead of a question on the terminal, which would hold up the server.
int no_passphrase(char*, int, int, void*) {
    return -1;
}

std::int64_t end_of(SSL_CTX* context) {
    std::tm when{};
    const auto* certificate = SSL_CTX_get0_certificate(context);
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &when) != 1) return 0;
    return timegm(&when);
}

} // namespace

certificates::certificates(certificate_files files) : files_{std::move(files)}, loaded_{load(files_)} {}

std::string certificates::stamp_of(const certificate_files& files) {
    std::string out;
    for (const auto& path : {files.chain, files.key}) {
        struct stat s{};
        if (::stat(path.c_str(), &s) != 0) {
            out += "absent;";
            continue;
        }
        out += std::to_string(s.st_ino) + '/' + std::to_string(s.st_size) + '/' +
               std::to_string(s.st_mtim.tv_sec) + '.' + std::to_string(s.st_mtim.tv_nsec) + ';';
    }
    return out;
}

certificates::loaded certificates::load(const certificate_files& files) {
    loaded out;
    out.stamp = stamp_of(files); // before: a change in between is noticed the next time
    ERR_clear_error();
    out.context = {SSL_CTX_new(TLS_server_method()), &SSL_CTX_free};
    auto* c = out.context.get();
    if (!c) fail("TLS");
    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
    SSL_CTX_set_default_passwd_cb(c, no_passphrase);
    if (SSL_CTX_use_certificate_chain_file(c, files.chain.c_str()) != 1)
        fail("certificates in " + files.chain);
    if (SSL_CTX_use_PrivateKey_file(c, files.key.c_str(), SSL_FILETYPE_PEM) != 1) fail("key in " + files.key);
    if (SSL_CTX_check_private_key(c) != 1) fail(files.key + " is not the key of " + files.chain);
    out.expires_at = end_of(c);
    return out;
}

bool certificates::reload(std::string& why) {
    const auto stamp = stamp_of(files_); // before they are read, as in load()
    try {
        auto fresh = load(files_);
        const std::scoped_lock lock{mutex_};
        loaded_ = std::move(fresh);
        return true;
    } catch (const std::exception& e) {
        why = e.what();
        const std::scoped_lock lock{mutex_};
        loaded_.stamp = stamp; // the same broken files are not read again and again
        return false;
    }
}

bool certificates::has_changed() const {
    const auto now = stamp_of(files_);
    const std::scoped_lock lock{mutex_};
    return now != loaded_.stamp;
}

std::shared_ptr<SSL_CTX> certificates::current() const {
    const std::scoped_lock lock{mutex_};
    return loaded_.context;
}

std::int64_t certificates::expires_at() const {
    const std::scoped_lock lock{mutex_};
    return loaded_.expires_at;
}

} // namespace tiktrend::http
