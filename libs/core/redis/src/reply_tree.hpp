#pragma once
#include <tiktrend/redis/reply.hpp>

#include <atomic>

namespace tiktrend::redis {

struct reply::node {
    kind type = kind::nil;
    std::size_t size = 0; ///< bytes of a text, elements of an array
    union {
        std::int64_t integer = 0;
        const char* text;
        node* items;
    };
};

/// The memory of one reply: this header, the root and what follows come from one allocation; a reply that
/// outgrows it continues in chunks that double in size.
struct reply::tree {
    struct chunk {
        chunk* before;
    };

    /// Room for `payload` bytes behind the root.
    static tree* make(std::size_t payload);
    static void destroy(const tree* t) noexcept;

    /// Memory aligned for nodes, valid as long as the tree. Throws std::bad_alloc.
    void* allocate(std::size_t bytes);
    /// Bytes taken from the heap.
    std::size_t footprint() const noexcept { return footprint_; }

    mutable std::atomic<std::uint32_t> references{1};
    node root;

private:
    chunk* chunks_ = nullptr;
    char* next_ = nullptr;
    char* end_ = nullptr;
    std::size_t footprint_ = 0;
};

} // namespace tiktrend::redis
