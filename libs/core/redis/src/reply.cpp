#include "reply_tree.hpp"

#include <tiktrend/redis/reply.hpp>

#include <charconv>
#include <new>
#include <utility>

namespace tiktrend::redis {
namespace {

constexpr std::size_t align_up(std::size_t n) noexcept {
    return (n + alignof(reply::node) - 1) / alignof(reply::node) * alignof(reply::node);
}
constexpr std::size_t header_size = align_up(sizeof(reply::tree));
constexpr std::size_t chunk_header_size = align_up(sizeof(reply::tree::chunk));

const reply::node nil_node{};

} // namespace

reply::tree* reply::tree::make(std::size_t payload) {
    const auto bytes = header_size + align_up(payload);
    auto* memory = static_cast<char*>(::operator new(bytes));
    auto* t = ::new (memory) tree;
    t->next_ = memory + header_size;
    t->end_ = memory + bytes;
    t->footprint_ = bytes;
    return t;
}

void reply::tree::destroy(const tree* t) noexcept {
    for (auto* c = t->chunks_; c != nullptr;) {
        auto* before = c->before;
        ::operator delete(c);
        c = before;
    }
    t->~tree();
    ::operator delete(const_cast<tree*>(t));
}

void* reply::tree::allocate(std::size_t bytes) {
    bytes = align_up(bytes);
    if (bytes > static_cast<std::size_t>(end_ - next_)) {
        const auto room = chunk_header_size + std::max(bytes, std::min<std::size_t>(footprint_, 64U << 10));
        auto* memory = static_cast<char*>(::operator new(room));
        chunks_ = ::new (memory) chunk{chunks_};
        next_ = memory + chunk_header_size;
        end_ = memory + room;
        footprint_ += room;
    }
    return std::exchange(next_, next_ + bytes);
}

void intrusive_ptr_add_ref(const reply::tree* t) noexcept {
    t->references.fetch_add(1, std::memory_order_relaxed);
}

void intrusive_ptr_release(const reply::tree* t) noexcept {
    if (t->references.fetch_sub(1, std::memory_order_acq_rel) == 1) reply::tree::destroy(t);
}

reply::view reply::root() const noexcept {
    return view{tree_ ? &tree_->root : &nil_node};
}
reply::kind reply::type() const noexcept {
    return tree_ ? tree_->root.type : kind::nil;
}
bool reply::is_nil() const noexcept {
    return type() == kind::nil;
}
bool reply::is_error() const noexcept {
    return type() == kind::error;
}
std::string_view reply::text() const noexcept {
    return root().text();
}
std::int64_t reply::integer() const noexcept {
    return root().integer();
}
std::size_t reply::size() const noexcept {
    return root().size();
}
reply::view reply::operator[](std::size_t i) const noexcept {
    return root()[i];
}

reply::kind reply::view::type() const noexcept {
    return node_->type;
}

std::string_view reply::view::text() const noexcept {
    switch (node_->type) {
    case kind::string:
    case kind::status:
    case kind::error:
        return {node_->text, node_->size};
    default:
        return {};
    }
}

std::int64_t reply::view::integer() const noexcept {
    if (node_->type == kind::integer) return node_->integer;
    const auto bytes = text();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(bytes.data(), bytes.data() + bytes.size(), value);
    return error == std::errc{} && end == bytes.data() + bytes.size() ? value : 0;
}

std::size_t reply::view::size() const noexcept {
    return node_->type == kind::array ? node_->size : 0;
}

reply::view reply::view::operator[](std::size_t i) const noexcept {
    return view{i < size() ? &node_->items[i] : &nil_node};
}

} // namespace tiktrend::redis
