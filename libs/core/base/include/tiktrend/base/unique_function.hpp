#pragma once
#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace tiktrend {

template <class Signature>
class unique_function;

/// A callable that can only be moved, for completion handlers kept in queues (std::move_only_function is
/// C++23). Callables of up to six pointers that move without throwing are stored in place. Calling an empty
/// one is undefined.
template <class R, class... Args>
class unique_function<R(Args...)> {
    static constexpr std::size_t capacity = 6 * sizeof(void*);

    struct vtable {
        R (*call)(void*, Args&&...);
        void (*move)(void* from, void* to) noexcept;
        void (*destroy)(void*) noexcept;
    };

    template <class F>
    static constexpr bool fits = sizeof(F) <= capacity && alignof(F) <= alignof(std::max_align_t) &&
                                 std::is_nothrow_move_constructible_v<F>;

    template <class F>
    static F& get(void* p) noexcept {
        if constexpr (fits<F>)
            return *std::launder(static_cast<F*>(p));
        else
            return **std::launder(static_cast<F**>(p));
    }

    template <class F>
    static constexpr vtable table{
        [](void* p, Args&&... args) -> R { return get<F>(p)(std::forward<Args>(args)...); },
        [](void* from, void* to) noexcept {
            if constexpr (fits<F>) {
                ::new (to) F(std::move(get<F>(from)));
                get<F>(from).~F();
            } else {
                ::new (to) F*(*std::launder(static_cast<F**>(from)));
            }
        },
        [](void* p) noexcept {
            if constexpr (fits<F>)
                get<F>(p).~F();
            else
                delete *std::launder(static_cast<F**>(p));
        }};

public:
    unique_function() noexcept = default;
    unique_function(std::nullptr_t) noexcept {}

    template <class F>
        requires(!std::is_same_v<std::decay_t<F>, unique_function> &&
                 std::is_invocable_r_v<R, std::decay_t<F>&, Args...>)
    unique_function(F&& f) { // NOLINT(google-explicit-constructor): as std::function
        using callable = std::decay_t<F>;
        if constexpr (fits<callable>)
            ::new (static_cast<void*>(storage_)) callable(std::forward<F>(f));
        else
            ::new (static_cast<void*>(storage_)) callable*(new callable(std::forward<F>(f)));
        table_ = &table<callable>;
    }

    unique_function(unique_function&& other) noexcept { take(other); }
    unique_function& operator=(unique_function&& other) noexcept {
        if (this != &other) {
            reset();
            take(other);
        }
        return *this;
    }
    unique_function(const unique_function&) = delete;
    unique_function& operator=(const unique_function&) = delete;
    ~unique_function() { reset(); }

    explicit operator bool() const noexcept { return table_ != nullptr; }
    R operator()(Args... args) { return table_->call(storage_, std::forward<Args>(args)...); }

private:
    void take(unique_function& other) noexcept {
        table_ = std::exchange(other.table_, nullptr);
        if (table_) table_->move(other.storage_, storage_);
    }
    void reset() noexcept {
        if (auto* t = std::exchange(table_, nullptr)) t->destroy(storage_);
    }

    const vtable* table_ = nullptr;
    alignas(std::max_align_t) std::byte storage_[capacity];
};

} // namespace tiktrend
