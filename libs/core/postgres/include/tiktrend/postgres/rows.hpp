#pragma once
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>

struct pg_result;

namespace tiktrend::postgres {

/// One value of a row. Reading it as a type that it does not have throws std::invalid_argument, NULL where a
/// value is asked throws std::logic_error: both are mistakes in the program. Views live as long as the rows
/// object.
class field {
public:
    bool is_null() const noexcept { return !data_; }
    /// The value as PostgreSQL prints it; numeric stays exact. Empty optional: NULL.
    std::optional<std::string_view> optional_text() const noexcept {
        return data_ ? std::optional{std::string_view{data_, size_}} : std::nullopt;
    }
    std::string_view text() const;
    std::int64_t int64() const;
    double float64() const;
    bool boolean() const;
    std::optional<std::int64_t> optional_int64() const;
    std::optional<double> optional_float64() const;

private:
    friend class row;
    field(const char* data, std::size_t size) noexcept : data_{data}, size_{size} {}
    const char* data_;
    std::size_t size_;
};

/// One row. A view: valid while its rows object lives.
class row {
public:
    field operator[](int column) const;
    /// Linear search by exact name; an unknown name throws std::out_of_range. Hot paths use the index.
    field operator[](std::string_view column) const;
    int columns() const noexcept;

private:
    friend class rows;
    row(const pg_result* result, int index) noexcept : result_{result}, index_{index} {}
    const pg_result* result_;
    int index_;
};

/// The answer to one statement. Owns its memory; independent of the connection.
class rows {
public:
    rows() = default;
    explicit rows(pg_result* owned) noexcept : result_{owned} {}

    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    row operator[](std::size_t index) const; ///< asserts index < size()
    row front() const { return (*this)[0]; }
    /// Rows that an INSERT, UPDATE, DELETE or SELECT affected.
    std::int64_t affected() const noexcept;

    class iterator {
    public:
        using value_type = row;
        using difference_type = std::ptrdiff_t;
        iterator(const rows* of, std::size_t at) noexcept : of_{of}, at_{at} {}
        row operator*() const { return (*of_)[at_]; }
        iterator& operator++() noexcept { return ++at_, *this; }
        bool operator==(const iterator& other) const noexcept { return at_ == other.at_; }

    private:
        const rows* of_;
        std::size_t at_;
    };
    iterator begin() const noexcept { return {this, 0}; }
    iterator end() const noexcept { return {this, size()}; }

private:
    struct clear {
        void operator()(pg_result* r) const noexcept;
    };
    std::unique_ptr<pg_result, clear> result_;
};

} // namespace tiktrend::postgres
