#include <tiktrend/base/base64url.hpp>
#include <tiktrend/base/digest.hpp>
#include <tiktrend/base/text.hpp>

#include <catch2/catch.hpp>

using namespace tiktrend;

// The examples of NIST's "Cryptographic Standards and Guidelines: Example Values" for SHA-256, and of RFC
// 6234.
TEST_CASE("SHA-256 of known texts", "[unit][base]") {
    CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    CHECK(sha256_hex(std::string(1'000'000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    // The context is used again: no text may leave something to the next.
    CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("bytes as hexadecimal digits", "[unit][base]") {
    using namespace std::string_view_literals;
    CHECK(to_hex("").empty());
    CHECK(to_hex("\0\x7f\x80\xff"sv) == "007f80ff");
    CHECK(bytes_of(sha256("x")).size() == 32);
}

TEST_CASE("base64url has one text for one value", "[unit][base]") {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    for (const std::size_t n : {0, 1, 2, 3, 255, 256})
        CHECK(decode_base64url(encode_base64url(all.substr(0, n))) == all.substr(0, n));
    // RFC 4648 section 10, without padding
    CHECK(encode_base64url("foobar") == "Zm9vYmFy");
    CHECK(encode_base64url("foob") == "Zm9vYg");
    CHECK(encode_base64url("\xfb\xff") == "-_8");
    for (const auto* wrong : {"A", "Zm9vYg==", "Zm9vYh", "Zm9 ", "+/8"})
        CHECK_FALSE(decode_base64url(wrong));
}

TEST_CASE("optional whitespace is trimmed, other characters stay", "[unit][base]") {
    CHECK(trim(" \t a b\t ") == "a b");
    CHECK(trim(" \t ").empty());
    CHECK(trim("\na\r") == "\na\r");
}
