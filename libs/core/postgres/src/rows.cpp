#include <tiktrend/postgres/rows.hpp>

#include <fmt/format.h>
#include <libpq-fe.h>

#include <cassert>
#include <charconv>
#include <stdexcept>

namespace tiktrend::postgres {
namespace {

template <class T>
T parse(std::string_view text, const char* type) {
    T out{};
    const auto end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, out);
    if (ec != std::errc{} || at != end)
        throw std::invalid_argument(fmt::format("the value \"{}\" is no {}", text, type));
    return out;
}

} // namespace

std::string_view field::text() const {
    if (!data_) throw std::logic_error("a NULL where a value was expected");
    return {data_, size_};
}

std::int64_t field::int64() const {
    return parse<std::int64_t>(text(), "integer");
}
double field::float64() const {
    return parse<double>(text(), "number");
}

bool field::boolean() const {
    const auto t = text();
    if (t != "t" && t != "f") throw std::invalid_argument(fmt::format("the value \"{}\" is no boolean", t));
    return t == "t";
}

std::optional<std::int64_t> field::optional_int64() const {
    return data_ ? std::optional{int64()} : std::nullopt;
}

std::optional<double> field::optional_float64() const {
    return data_ ? std::optional{float64()} : std::nullopt;
}

int row::columns() const noexcept {
    return PQnfields(result_);
}

field row::operator[](int column) const {
    assert(column >= 0 && column < columns());
    if (PQgetisnull(result_, index_, column)) return {nullptr, 0};
    return {PQgetvalue(result_, index_, column),
            static_cast<std::size_t>(PQgetlength(result_, index_, column))};
}

field row::operator[](std::string_view column) const {
    for (int i = 0, n = columns(); i < n; ++i)
        if (column == PQfname(result_, i)) return (*this)[i];
    throw std::out_of_range(fmt::format("no column {}", column));
}

void rows::clear::operator()(pg_result* r) const noexcept {
    PQclear(r);
}

std::size_t rows::size() const noexcept {
    return result_ ? static_cast<std::size_t>(PQntuples(result_.get())) : 0;
}

row rows::operator[](std::size_t index) const {
    assert(index < size());
    return {result_.get(), static_cast<int>(index)};
}

std::int64_t rows::affected() const noexcept {
    if (!result_) return 0;
    const std::string_view text{PQcmdTuples(result_.get())};
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

} // namespace tiktrend::postgres
