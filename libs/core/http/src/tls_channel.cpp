#include "tls_channel.hpp"

#include <boost/asio/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <new>

namespace tiktrend::http {
namespace {

constexpr std::size_t record = 16U << 10; ///< plain bytes of one TLS record
constexpr std::size_t kept_output = 32U << 10;

} // namespace

tls_channel::tls_channel(std::shared_ptr<SSL_CTX> context, boost::asio::ip::tcp::socket& socket)
    : context_{std::move(context)}, socket_{socket}, ssl_{SSL_new(context_.get())} {
    BIO* in = ssl_ ? BIO_new(BIO_s_mem()) : nullptr;
    BIO* out = in ? BIO_new(BIO_s_mem()) : nullptr;
    if (!out) {
        BIO_free(in);
        SSL_free(ssl_);
        throw std::bad_alloc{};
    }
    BIO_set_mem_eof_return(in, -1); // empty means "wait", not "end"
    SSL_set_bio(ssl_, in, out);
    SSL_set_accept_state(ssl_);
}

tls_channel::~tls_channel() {
    SSL_free(ssl_);
}

bool tls_channel::is_established() const noexcept {
    return SSL_is_init_finished(ssl_) == 1;
}

bool tls_channel::commit(std::size_t n, input_buffer& out) {
    for (std::size_t at = 0; at < n;) {
        const int taken = BIO_write(SSL_get_rbio(ssl_), cipher_in_ + at, static_cast<int>(n - at));
        if (taken <= 0) return false; // out of memory
        at += static_cast<std::size_t>(taken);
    }
    return decrypt(out);
}

bool tls_channel::decrypt(input_buffer& out) {
    has_plain_ = false;
    if (has_ended_) return false;
    for (bool gave = false;; gave = true) {
        const auto room = out.full() ? boost::asio::mutable_buffer{} : out.prepare();
        if (room.size() == 0) {
            has_plain_ = true;
            return true;
        }
        ERR_clear_error();
        const int n = SSL_read(ssl_, room.data(), static_cast<int>(std::min(room.size(), record)));
        collect_output();
        if (n > 0) {
            out.commit(static_cast<std::size_t>(n));
            continue;
        }
        const int why = SSL_get_error(ssl_, n);
        if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return true;
        // What came before the client's farewell counts: it may have said all it wants, and wait for answers.
        has_ended_ = has_plain_ = why == SSL_ERROR_ZERO_RETURN && gave;
        return has_ended_;
    }
}

void tls_channel::collect_output() {
    auto* bio = SSL_get_wbio(ssl_);
    const auto waiting = BIO_ctrl_pending(bio);
    if (waiting == 0) return;
    const auto before = cipher_out_.size();
    cipher_out_.resize(before + waiting);
    const int n = BIO_read(bio, cipher_out_.data() + before, static_cast<int>(waiting));
    cipher_out_.resize(before + static_cast<std::size_t>(std::max(n, 0)));
}

bool tls_channel::flush(error_code& ec) {
    while (sent_ < cipher_out_.size()) {
        const auto n = socket_.write_some(
            boost::asio::const_buffer{cipher_out_.data() + sent_, cipher_out_.size() - sent_}, ec);
        sent_ += n;
        if (ec == boost::asio::error::would_block || ec == boost::asio::error::try_again) {
            ec = {};
            return false;
        }
        if (ec) return false;
    }
    sent_ = 0;
    if (cipher_out_.capacity() > kept_output)
        std::string{}.swap(cipher_out_);
    else
        cipher_out_.clear();
    return true;
}

std::size_t tls_channel::write_some(const std::vector<boost::asio::const_buffer>& plain, error_code& ec) {
    ec = {};
    if (!flush(ec)) {
        if (!ec) ec = boost::asio::error::would_block;
        return 0;
    }
    std::size_t taken = 0;
    for (const auto& b : plain) {
        const auto size = std::min(b.size(), record);
        ERR_clear_error();
        const int n = SSL_write(ssl_, b.data(), static_cast<int>(size));
        if (n <= 0) {
            if (taken == 0) ec = boost::asio::error::connection_reset; // the session is broken
            break;
        }
        taken += static_cast<std::size_t>(n);
        if (static_cast<std::size_t>(n) < b.size() || taken >= record * 4)
            break; // bounded; the caller comes again
    }
    collect_output();
    error_code later; // an error shows again at the next flush
    flush(later);
    return taken;
}

void tls_channel::close_notify() {
    if (!is_established()) return;
    ERR_clear_error();
    SSL_shutdown(ssl_);
    collect_output();
}

} // namespace tiktrend::http
