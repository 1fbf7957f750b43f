#pragma once
// AWS Signature Version 4 for one chunk
// (docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html). Our own, because libcurl 7.88
// signs uploads with the digest of an empty body. Pure.
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tiktrend::fetch {

struct sigv4_key {
    std::string access_key_id;
    std::string secret_access_key;
    std::string region = "auto"; ///< Cloudflare R2's; S3: "eu-central-1", …
    std::string service = "s3";
};

/// What is signed. S3's rule for paths: each segment is encoded once.
struct sigv4_request {
    std::string method = "GET";
    std::string path = "/"; ///< not encoded
    std::vector<std::pair<std::string, std::string>> query;
    /// All that is to be signed: lower-case names, at least "host"; x-amz-date and x-amz-content-sha256 are
    /// added.
    std::vector<std::pair<std::string, std::string>> headers;
    std::string_view body;
};

/// The headers to send besides those of the request: x-amz-date, x-amz-content-sha256, authorization.
std::vector<std::pair<std::string, std::string>> sign(const sigv4_request& request, const sigv4_key& key,
                                                      std::chrono::sys_seconds now);

/// RFC 3986: everything but unreserved characters becomes %XX; slashes stay on request.
std::string percent_encode(std::string_view text, bool keep_slashes);

} // namespace tiktrend::fetch
