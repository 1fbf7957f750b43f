// The examples of Amazon's own documentation:
// docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
#include <tiktrend/fetch/sigv4.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend::fetch;

namespace {

sigv4_key example_key() {
    sigv4_key k;
    k.access_key_id = "AKIAIOSFODNN7EXAMPLE";
    k.secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    k.region = "us-east-1";
    return k;
}

/// 2013-05-24T00:00:00Z
constexpr std::chrono::sys_seconds example_time{std::chrono::seconds{1369353600}};

sigv4_request example() {
    sigv4_request r;
    r.headers = {{"host", "examplebucket.s3.amazonaws.com"}};
    return r;
}

std::string authorization(const sigv4_request& r) {
    for (const auto& [name, value] : sign(r, example_key(), example_time))
        if (name == "authorization") return value;
    return {};
}

std::string signature(const sigv4_request& r) {
    const auto text = authorization(r);
    return text.substr(text.find("Signature=") + 10);
}

} // namespace

TEST_CASE("Amazon's example of a GET with a range is signed as documented", "[unit][fetch][s3]") {
    auto r = example();
    r.path = "/test.txt";
    r.headers.emplace_back("range", "bytes=0-9");
    CHECK(authorization(r) ==
          "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
          "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
          "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
}

TEST_CASE("curl trap 16: Amazon's example of a PUT signs its body and escapes its path",
          "[unit][fetch][s3]") {
    auto r = example();
    r.method = "PUT";
    r.path = "/test$file.text";
    r.body = "Welcome to Amazon S3.";
    r.headers.emplace_back("date", "Fri, 24 May 2013 00:00:00 GMT");
    r.headers.emplace_back("x-amz-storage-class", "REDUCED_REDUNDANCY");
    CHECK(signature(r) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    const auto headers = sign(r, example_key(), example_time);
    CHECK(headers.at(0).second == "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    CHECK(headers.at(1).second == "20130524T000000Z");
}

TEST_CASE("Amazon's examples with a query are signed with it in order", "[unit][fetch][s3]") {
    auto r = example();
    r.query = {{"lifecycle", ""}};
    CHECK(signature(r) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    r.query = {{"prefix", "J"}, {"max-keys", "2"}};
    CHECK(signature(r) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST_CASE("percent encoding leaves the unreserved characters alone", "[unit][fetch][s3]") {
    CHECK(percent_encode("a-z_0.9~/\xC3\xA9 +", true) == "a-z_0.9~/%C3%A9%20%2B");
    CHECK(percent_encode("a/b", false) == "a%2Fb");
}
