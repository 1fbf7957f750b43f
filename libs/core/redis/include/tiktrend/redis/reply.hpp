#pragma once
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tiktrend::redis {

/// One RESP2 reply: an immutable tree in memory of its own. Views live as long as the reply they came from.
/// Copies share the memory and may go to other threads.
class reply {
public:
    enum class kind : std::uint8_t { nil, status, error, integer, string, array };

    class view;
    struct node; ///< of the codec
    struct tree; ///< of the codec

    reply() noexcept = default; ///< nil
    /// Made by the codec only.
    explicit reply(boost::intrusive_ptr<const tree> t) noexcept : tree_{std::move(t)} {}

    // The members of the root; see view.
    view root() const noexcept;
    kind type() const noexcept;
    bool is_nil() const noexcept;
    bool is_error() const noexcept;
    std::string_view text() const noexcept;
    std::int64_t integer() const noexcept;
    std::size_t size() const noexcept;
    view operator[](std::size_t i) const noexcept;

private:
    boost::intrusive_ptr<const tree> tree_;
};

void intrusive_ptr_add_ref(const reply::tree* t) noexcept;
void intrusive_ptr_release(const reply::tree* t) noexcept;

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
