#include "crawl/image_facts.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace tiktrend::worker;
using namespace std::string_literals;

namespace {

std::string told(const std::string& bytes) {
    const auto f = facts_of_image(bytes);
    if (!f) return "none";
    return std::string{f->content_type} + ' ' + std::to_string(f->width) + 'x' + std::to_string(f->height);
}

const std::string png_head = "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x02\x80\0\0\x01\xE0\x08\x02"s;
const std::string jpeg_head = "\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
                              "\xFF\xC0\0\x11\x08\x01\xE0\x02\x80\x03\x01\x22"s;

} // namespace

TEST_CASE("an image is known by its bytes, with its size", "[unit][worker][images]") {
    CHECK(told(png_head) == "image/png 640x480");
    CHECK(told(jpeg_head) == "image/jpeg 640x480");
    CHECK(told("GIF89a\x80\x02\xE0\x01\0\0"s) == "image/gif 640x480");
    CHECK(told("RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x7F\x02\0\xDF\x01\0"s) == "image/webp 640x480");
    CHECK(told("RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9D\x01\x2A\x80\x02\xE0\x01"s) == "image/webp 640x480");
    CHECK(told("RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2F\x7F\xC2\x77\0\0\0\0\0\0"s) == "image/webp 640x480");
    CHECK(told("\0\0\0\x1C"
               "ftypavif\0\0\0\0avifmif1\0\0\0\x14ispe\0\0\0\0\0\0\x02\x80\0\0\x01\xE0"s) ==
          "image/avif 640x480");
}

TEST_CASE("what is no image of a kept kind is none, whatever it calls itself", "[unit][worker][images]") {
    CHECK(told("") == "none");
    CHECK(told("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>") == "none");
    CHECK(told("<html>not found</html>") == "none");
    CHECK(told("GIF89a\0\0\0\0\0"s) == "none");                              // no pixels
    CHECK(told("\xFF\xD8\xFF\xE0\0\0"s + std::string(40, '\0')) == "none");  // a segment without a length
    CHECK(told("\xFF\xD8\xFF\xDA\0\x08" + std::string(40, '\1')) == "none"); // data before the frame
    // Every cut of every kind ends quietly.
    for (const auto& whole : {png_head, jpeg_head})
        for (std::size_t n = 0; n < 20; ++n)
            CHECK(told(whole.substr(0, n)) == "none");
}
