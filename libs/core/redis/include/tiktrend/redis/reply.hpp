#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace tiktrend::redis {

/// One RESP2 reply: an immutable tree in memory of its own. Views and spans live as long as the reply they came from (copies
/// share the memory).
class reply {
public:
    enum class kind : std::uint8_t { nil, status, error, integer, string, array };

    class view;

    reply() noexcept = default;                 ///< nil

    // The members of the root; see view.
    view root() const noexcept;
    kind type() const noexcept;
    bool is_nil() const noexcept;
    bool is_error() const noexcept;
    std::string_view text() const noexcept;
    std::int64_t integer() const noexcept;
    std::size_t size() const noexcept;
    view operator[](std::size_t i) const noexcept;

    /// The tree itself; made by the codec only.
    struct node;
    explicit reply(std::shared_ptr<const node> root) noexcept : root_{std::move(root)} {}

private:
    std::shared_ptr<const node> root_;
};

/// A place in a reply.
class reply::view {
public:
    explicit view(const node* n) noexcept : node_{n} {}
    kind type() const noexcept;
    bool is_nil() const noexcept { return type() == kind::nil; }
    bool is_error() const noexcept { return type() == kind::error; }
    /// The bytes of a string, status or error; empty for the others.
    std::string_view text() const noexcept;
    /// The value of an integer, or of a string that is a whole number; 0 otherwise.
    std::int64_t integer() const noexcept;
    /// Elements of an array; 0 for the others.
    std::size_t size() const noexcept;
    /// Element i of an array; a nil view if there is none.
    view operator[](std::size_t i) const noexcept;

private:
    const node* node_;
};

} // namespace tiktrend::redis
