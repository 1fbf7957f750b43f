#pragma once
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::postgres {

/// A one-dimensional array parameter in PostgreSQL's binary form (array_recv in
/// src/backend/utils/adt/arrayfuncs.c): no quoting, one copy. The SQL should still cast (`$1::text[]`), for
/// the reader's sake.
class array {
public:
    enum class element : std::uint32_t {
        boolean = 16,
        int8 = 20,
        text = 25,
        float8 = 701
    }; ///< pg_type.oid; fixed for ever

    /// `count_hint` and `bytes_hint` only reserve memory.
    explicit array(element type, std::size_t count_hint = 0, std::size_t bytes_hint = 0);

    /// The caller keeps to the element type given above; text must be valid UTF-8 without U+0000
    /// (base/json_text repair_utf8).
    void add(std::string_view text);
    void add(const char* text) { add(std::string_view{text}); }
    void add(std::int64_t value);
    void add(double value);
    void add(bool value);
    void add_null();
    template <class T>
    void add(const std::optional<T>& value) {
        if (value)
            add(*value);
        else
            add_null();
    }
    std::size_t size() const noexcept { return count_; }

private:
    friend class params;
    /// Room for `n` more bytes.
    char* extend(std::size_t n);

    element type_;
    std::uint32_t count_ = 0;
    bool has_null_ = false;
    std::string bytes_; ///< as large as what may come; the first used_ are written
    std::size_t used_ =
        0; ///< a count of its own, since appending to a string costs more than what is appended here
};

/// The bound parameters $1, $2, … of one statement, in order. Scalars are copied into one buffer, arrays are
/// taken over.
class params {
public:
    params() = default;

    /// Throws std::invalid_argument if the text holds a NUL byte, which PostgreSQL text cannot.
    params& add(std::string_view text);
    params& add(const std::string& text) { return add(std::string_view{text}); }
    params& add(const char* text) { return add(std::string_view{text}); }
    params& add(double value);
    template <std::integral I>
    params& add(I value) {
        if constexpr (std::same_as<I, bool>)
            return add(std::string_view{value ? "t" : "f"});
        else
            return add_integer(static_cast<std::int64_t>(value));
    }
    template <class T>
    params& add(const std::optional<T>& value) {
        return value ? add(*value) : add_null();
    }
    params& add_null();
    params& add(array&& values);
    /// A bytea.
    params& add_bytes(std::string_view bytes);

    /// `params::of(7, "x")`: the same in one expression.
    template <class... T>
    static params of(const T&... values) {
        params out;
        (out.add(values), ...);
        return out;
    }

    /// The server plans the statement for these very values each time (it runs unnamed), rather than once for
    /// any: for filters whose values decide which index is good. Costs a parse and a plan, about half a
    /// millisecond.
    params& plan_each_time() noexcept {
        plans_each_time_ = true;
        return *this;
    }

    std::size_t size() const noexcept { return values_.size(); }

private:
    friend class connection;
    struct value {
        std::size_t at; ///< offset in bytes_, or index in arrays_
        bool is_array;
        int length;        ///< without the closing zero; -1: NULL
        int format;        ///< 0 text, 1 binary
        std::uint32_t oid; ///< 0: the server infers it
    };
    params& add_integer(std::int64_t value);
    void put(std::string_view bytes, int format, std::uint32_t oid);

    const char* data(const value& v) const noexcept;

    std::string bytes_;
    std::vector<std::string> arrays_;
    std::vector<value> values_;
    bool plans_each_time_ = false;
};

/// For statements without parameters. Lives for ever.
const params& no_params() noexcept;

} // namespace tiktrend::postgres
