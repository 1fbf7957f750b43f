#include <tiktrend/base/ids.hpp>
#include <tiktrend/base/random.hpp>

namespace tiktrend {
namespace {

std::string format(std::string bytes, int version) {
    static constexpr char hex[] = "0123456789abcdef";
    bytes[6] = static_cast<char>((bytes[6] & 0x0f) | (version << 4));
    bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
    std::string out;
    out.reserve(36);
    for (std::size_t i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        const auto b = static_cast<unsigned char>(bytes[i]);
        out += hex[b >> 4];
        out += hex[b & 15];
    }
    return out;
}

} // namespace

std::string uuid_v4() {
    return format(random_bytes(16), 4);
}

std::string uuid_v7(std::int64_t unix_ms) {
    auto bytes = random_bytes(16);
    for (std::size_t i = 0; i < 6; ++i)
        bytes[i] = static_cast<char>((unix_ms >> (40 - 8 * static_cast<int>(i))) & 0xff);
    return format(std::move(bytes), 7);
}

} // namespace tiktrend
