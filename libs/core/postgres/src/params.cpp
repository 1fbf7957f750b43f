#include <tiktrend/postgres/params.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <cstring>
#include <limits>
#include <stdexcept>

namespace tiktrend::postgres {
namespace {

/// dimensions, has-null flag, element oid, length and lower bound of the one dimension
constexpr std::size_t array_header = 5 * 4;

void put_be32(char* at, std::uint32_t v) noexcept {
    if constexpr (std::endian::native == std::endian::little) v = __builtin_bswap32(v);
    std::memcpy(at, &v, sizeof v);
}

void put_be64(char* at, std::uint64_t v) noexcept {
    put_be32(at, static_cast<std::uint32_t>(v >> 32));
    put_be32(at + 4, static_cast<std::uint32_t>(v));
}

/// pg_type.oid of the array type over an element type; fixed for ever.
std::uint32_t array_oid(array::element type) noexcept {
    switch (type) {
    case array::element::boolean:
        return 1000;
    case array::element::int8:
        return 1016;
    case array::element::text:
        return 1009;
    case array::element::float8:
        return 1022;
    }
    return 0;
}

int checked_length(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw std::invalid_argument("a parameter of more than 2 GiB");
    return static_cast<int>(bytes);
}

} // namespace

array::array(element type, std::size_t count_hint, std::size_t bytes_hint)
    : type_{type}, used_{array_header} {
    bytes_.resize(array_header + count_hint * 4 + bytes_hint);
}

char* array::extend(std::size_t n) {
    if (bytes_.size() - used_ < n) bytes_.resize(std::max(2 * bytes_.size(), used_ + n));
    char* at = bytes_.data() + used_;
    used_ += n;
    return at;
}

void array::add(std::string_view text) {
    assert(type_ == element::text);
    char* at = extend(4 + text.size());
    put_be32(at, static_cast<std::uint32_t>(text.size()));
    text.copy(at + 4, text.size());
    ++count_;
}

void array::add(std::int64_t value) {
    assert(type_ == element::int8);
    char* at = extend(4 + 8);
    put_be32(at, 8);
    put_be64(at + 4, static_cast<std::uint64_t>(value));
    ++count_;
}

void array::add(double value) {
    assert(type_ == element::float8);
    char* at = extend(4 + 8);
    put_be32(at, 8);
    put_be64(at + 4, std::bit_cast<std::uint64_t>(value));
    ++count_;
}

void array::add(bool value) {
    assert(type_ == element::boolean);
    char* at = extend(4 + 1);
    put_be32(at, 1);
    at[4] = static_cast<char>(value);
    ++count_;
}

void array::add_null() {
    put_be32(extend(4), 0xFFFF'FFFFU);
    has_null_ = true;
    ++count_;
}

void params::put(std::string_view bytes, int format, std::uint32_t oid) {
    values_.push_back({bytes_.size(), false, checked_length(bytes.size()), format, oid});
    bytes_ += bytes;
    bytes_ += '\0'; // libpq takes text parameters as C strings
}

params& params::add(std::string_view text) {
    if (text.find('\0') != std::string_view::npos)
        throw std::invalid_argument("a text parameter with a NUL byte");
    put(text, 0, 0);
    return *this;
}

params& params::add(double value) {
    std::array<char, 32> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    put({buffer.data(), static_cast<std::size_t>(end - buffer.data())}, 0, 0);
    return *this;
}

params& params::add_integer(std::int64_t value) {
    std::array<char, 24> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
    put({buffer.data(), static_cast<std::size_t>(end - buffer.data())}, 0, 0);
    return *this;
}

params& params::add_null() {
    values_.push_back({0, false, -1, 0, 0});
    return *this;
}

params& params::add(array&& values) {
    auto& bytes = values.bytes_;
    bytes.resize(values.used_);
    put_be32(bytes.data(), values.count_ ? 1 : 0);
    put_be32(bytes.data() + 4, values.has_null_);
    put_be32(bytes.data() + 8, static_cast<std::uint32_t>(values.type_));
    put_be32(bytes.data() + 12, values.count_);
    put_be32(bytes.data() + 16, 1);
    if (!values.count_) bytes.resize(12); // an array without dimensions ends after the element type
    values_.push_back({arrays_.size(), true, checked_length(bytes.size()), 1, array_oid(values.type_)});
    arrays_.push_back(std::move(bytes));
    return *this;
}

params& params::add_bytes(std::string_view bytes) {
    put(bytes, 1, 17); // bytea
    return *this;
}

const char* params::data(const value& v) const noexcept {
    if (v.length < 0) return nullptr;
    return v.is_array ? arrays_[v.at].data() : bytes_.data() + v.at;
}

const params& no_params() noexcept {
    static const params instance;
    return instance;
}

} // namespace tiktrend::postgres
