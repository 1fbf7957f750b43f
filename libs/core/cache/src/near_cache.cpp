#include <tiktrend/cache/near_cache.hpp>

namespace tiktrend::cache {

entry_ptr near_cache::find(std::string_view key, clock::time_point now) {
    const auto it = by_key_.find(key);
    if (it == by_key_.end()) return nullptr;
    const auto s = it->second;
    if (s->changes != s->guard->changes || now >= s->expires) {
        erase(s);
        return nullptr;
    }
    slots_.splice(slots_.begin(), slots_, s);
    return s->value;
}

near_cache::guard_ptr near_cache::guard(std::string_view name) {
    if (const auto it = guards_.find(name); it != guards_.end())
        if (auto known = it->second.lock()) return known;
    // Leaves the table with its last user, so that the table is bounded by the entries.
    const auto forget = [this](guard_state* g) {
        guards_.erase(g->name);
        delete g;
    };
    guard_ptr fresh{new guard_state{std::string{name}}, forget};
    guards_[fresh->name] = fresh;
    return fresh;
}

near_cache::ticket near_cache::expect(std::string_view guard_name) {
    ticket t;
    if (!trusted_ || options_.max_bytes == 0) return t;
    t.guard_ = guard(guard_name);
    t.changes_ = t.guard_->changes;
    t.clears_ = clears_;
    return t;
}

bool near_cache::store(const ticket& t, std::string_view key, entry_ptr e, clock::time_point now) {
    if (!trusted_ || !t.guard_ || t.guard_->changes != t.changes_ || t.clears_ != clears_) return false;
    constexpr std::size_t bookkeeping = 200; // list node, table node
    const auto bytes = e->memory() + key.size() + bookkeeping;
    if (bytes > options_.max_bytes) return false;
    if (const auto it = by_key_.find(key); it != by_key_.end()) erase(it->second);
    while (bytes_ + bytes > options_.max_bytes)
        erase(std::prev(slots_.end()));
    slots_.push_front({std::string{key}, std::move(e), t.guard_, t.changes_, now + options_.max_age, bytes});
    by_key_.emplace(slots_.front().key, slots_.begin());
    bytes_ += bytes;
    return true;
}

void near_cache::invalidate(std::string_view guard_name) {
    // Entries find out when they are looked up; the memory of those that never are is bounded anyway.
    if (const auto it = guards_.find(guard_name); it != guards_.end())
        if (const auto g = it->second.lock()) ++g->changes;
}

void near_cache::clear() {
    ++clears_;
    by_key_.clear();
    slots_.clear();
    bytes_ = 0;
}

void near_cache::set_trusted(bool trusted) {
    if (!trusted) clear();
    trusted_ = trusted;
}

void near_cache::erase(std::list<slot>::iterator s) {
    bytes_ -= s->bytes;
    by_key_.erase(s->key);
    slots_.erase(s);
}

} // namespace tiktrend::cache
