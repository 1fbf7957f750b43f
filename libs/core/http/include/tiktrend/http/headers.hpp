#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace tiktrend::http {

/// Header fields in order, compared without regard to ASCII case (RFC 9110 section 5). Small, so look-ups are
/// linear. All text lies in one buffer: a message that is reused allocates nothing.
class headers {
public:
    /// Views into the headers, valid until they change.
    struct field {
        std::string_view name;
        std::string_view value;
    };

    class iterator {
    public:
        using value_type = field;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = field;
        using pointer = void;
        iterator() = default;
        field operator*() const noexcept { return owner_->at(index_); }
        iterator& operator++() noexcept {
            ++index_;
            return *this;
        }
        iterator operator++(int) noexcept {
            auto old = *this;
            ++index_;
            return old;
        }
        bool operator==(const iterator& other) const noexcept { return index_ == other.index_; }

    private:
        friend class headers;
        iterator(const headers* owner, std::size_t index) noexcept : owner_{owner}, index_{index} {}
        const headers* owner_ = nullptr;
        std::size_t index_ = 0;
    };

    /// Replaces every field of that name. set() and add() throw std::invalid_argument for a name that is no
    /// token and for a value with CR, LF or NUL, so that no caller can smuggle a second field into a message.
    void set(std::string_view name, std::string_view value);
    void add(std::string_view name, std::string_view value); ///< appends
    void erase(std::string_view name);
    void clear() noexcept; ///< keeps the memory

    /// The first value, or empty. Valid until the headers change.
    std::string_view get(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept;
    /// How many fields have that name.
    std::size_t count(std::string_view name) const noexcept;

    iterator begin() const noexcept { return {this, 0}; }
    iterator end() const noexcept { return {this, spans_.size()}; }
    std::size_t size() const noexcept { return spans_.size(); }
    bool empty() const noexcept { return spans_.empty(); }
    field at(std::size_t index) const noexcept {
        const auto& s = spans_[index];
        return {{text_.data() + s.begin, s.name_size}, {text_.data() + s.begin + s.name_size, s.value_size}};
    }

private:
    friend class request_parser; // appends what it has checked already
    struct span {
        std::uint32_t begin;
        std::uint32_t name_size;
        std::uint32_t value_size;
    };
    void append(std::string_view name, std::string_view value);

    std::string text_;
    std::vector<span> spans_;
};

/// ASCII only, as field names and most tokens of HTTP are compared.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

} // namespace tiktrend::http
