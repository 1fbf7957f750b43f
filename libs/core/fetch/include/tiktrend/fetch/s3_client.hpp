#pragma once
#include <tiktrend/base/clock.hpp>
#include <tiktrend/fetch/client.hpp>
#include <tiktrend/fetch/sigv4.hpp>

#include <string>

namespace tiktrend::fetch {

struct s3_options {
    s3_options() {}
    std::string
        endpoint; ///< "https://<account>.r2.cloudflarestorage.com"; nothing behind the host but a port
    std::string bucket;
    sigv4_key key;
    std::chrono::milliseconds timeout{30'000}; ///< of one call
    std::string ca_file;                       ///< PEM; empty: the system's
    logger log;
};

struct s3_object {
    s3_object() {}
    std::string name; ///< key within the bucket, without a leading slash
    std::string bytes;
    std::string content_type;
    std::string cache_control;
};

using s3_result = boost::system::result<bool, failure>;

/// Objects of one bucket of an S3-compatible store, addressed by path (Cloudflare R2, MinIO, AWS). Has
/// connections of its own, to its endpoint and nowhere else, so that nothing a page says can lead a signed
/// request astray. Belongs to one executor.
class s3_client {
public:
    s3_client(asio::any_io_executor executor, s3_options options,
              const wall_clock& clock = system_wall_clock());

    /// Whether the object is there (HEAD).
    task<s3_result> has(const std::string& name);
    /// Stores it, over one of that name: true. A failure of kind bad_response holds the store's own words.
    task<s3_result> put(const s3_object& object);
    /// Ends calls under way; later ones fail at once.
    task<void> stop();

private:
    request signed_request(const std::string& method, const std::string& name, const s3_object* object) const;
    failure refused(const response& answer, const std::string& name) const;

    s3_options options_;
    std::string host_; ///< as the Host header says it
    const wall_clock& clock_;
    client http_;
};

} // namespace tiktrend::fetch
