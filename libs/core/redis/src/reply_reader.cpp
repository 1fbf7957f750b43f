#include "reply_reader.hpp"

#include "reply_tree.hpp"

#include <tiktrend/redis/error.hpp>

#include <hiredis/hiredis.h>

#include <cstring>
#include <new>

namespace tiktrend::redis {

/// Gets the calls of hiredis's parser. The objects it hands to hiredis are nodes; the tree owns them all, so
/// hiredis never has to free any.
struct reply_reader::builder {
    explicit builder(std::size_t limit) noexcept : max_bytes{limit} {}

    const std::size_t max_bytes;
    boost::intrusive_ptr<reply::tree> tree; ///< null while the reply is a single nil

    static builder& of(const redisReadTask* task) noexcept { return *static_cast<builder*>(task->privdata); }

    /// The node that `task` fills; null without memory left for it.
    reply::node* place(const redisReadTask* task, std::size_t payload) {
        if (task->parent != nullptr) return &static_cast<reply::node*>(task->parent->obj)->items[task->idx];
        tree = boost::intrusive_ptr<reply::tree>{reply::tree::make(payload), false};
        return &tree->root;
    }

    bool has_room(const redisReadTask* task, std::size_t bytes) const noexcept {
        const auto used = task->parent != nullptr ? tree->footprint() : 0;
        return bytes <= max_bytes && used <= max_bytes - bytes;
    }

    static void* text(const redisReadTask* task, char* bytes, std::size_t size) noexcept try {
        auto& self = of(task);
        if (!self.has_room(task, size)) return nullptr;
        auto* n = self.place(task, size);
        n->type = task->type == REDIS_REPLY_STATUS  ? reply::kind::status
                  : task->type == REDIS_REPLY_ERROR ? reply::kind::error
                                                    : reply::kind::string;
        auto* copy = static_cast<char*>(self.tree->allocate(size));
        std::memcpy(copy, bytes, size);
        n->text = copy;
        n->size = size;
        return n;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

#if defined(HIREDIS_MAJOR) && HIREDIS_MAJOR >= 1
    using array_size = std::size_t;
#else
    using array_size = int;
#endif
    static void* array(const redisReadTask* task, array_size announced) noexcept try {
        auto& self = of(task);
        const auto count = static_cast<std::size_t>(announced);
        if (count > self.max_bytes / sizeof(reply::node)) return nullptr;
        const auto bytes = count * sizeof(reply::node);
        if (!self.has_room(task, bytes)) return nullptr;
        // Most elements are short strings: with this much room an ordinary reply is one allocation.
        auto* n = self.place(task, bytes + std::min<std::size_t>(count * 32, 16U << 10));
        auto* items = static_cast<reply::node*>(self.tree->allocate(bytes));
        std::uninitialized_value_construct_n(items, count);
        n->type = reply::kind::array;
        n->items = items;
        n->size = count;
        return n;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* integer(const redisReadTask* task, long long value) noexcept try {
        auto* n = of(task).place(task, 0);
        n->type = reply::kind::integer;
        n->integer = value;
        return n;
    } catch (const std::bad_alloc&) {
        return nullptr;
    }

    static void* nil(const redisReadTask* task) noexcept {
        static reply::node root;
        if (task->parent == nullptr) return &root;
        return &static_cast<reply::node*>(task->parent->obj)->items[task->idx];
    }

    static void release(void*) noexcept {}

    static redisReplyObjectFunctions& functions() noexcept {
        static redisReplyObjectFunctions table = [] {
            redisReplyObjectFunctions f{};
            f.createString = &text;
            f.createArray = &array;
            f.createInteger = &integer;
            f.createNil = &nil;
            f.freeObject = &release;
            return f;
        }();
        return table;
    }
};

reply_reader::reply_reader(std::size_t max_reply_bytes)
    : builder_{std::make_unique<builder>(max_reply_bytes)},
      reader_{redisReaderCreateWithFunctions(&builder::functions())}, max_reply_bytes_{max_reply_bytes} {
    if (reader_ == nullptr) throw std::bad_alloc{};
    reader_->privdata = builder_.get();
    reader_->maxbuf = 128U << 10; // keep the buffer of a busy connection instead of freeing it between reads
}

reply_reader::~reply_reader() {
    redisReaderFree(reader_);
}

void reply_reader::fail(std::string message) {
    if (message_.empty()) message_ = std::move(message);
}

void reply_reader::feed(std::string_view bytes) {
    if (!message_.empty()) return;
    unfinished_ += bytes.size();
    if (redisReaderFeed(reader_, bytes.data(), bytes.size()) != REDIS_OK) fail("out of memory");
}

bool reply_reader::next(reply& out, error_code& ec) {
    void* object = nullptr;
    if (message_.empty() && redisReaderGetReply(reader_, &object) != REDIS_OK)
        fail(reader_->err == REDIS_ERR_OOM ? std::string{"a reply is larger than the limit"}
                                           : std::string{reader_->errstr});
    if (message_.empty() && object == nullptr && unfinished_ > max_reply_bytes_)
        fail("a reply is larger than the limit");
    if (!message_.empty()) {
        ec = errc::protocol_error;
        return false;
    }
    if (object == nullptr) return false;
    unfinished_ = reader_->len - reader_->pos;
    out = reply{boost::intrusive_ptr<const reply::tree>{std::move(builder_->tree)}};
    builder_->tree = nullptr;
    return true;
}

} // namespace tiktrend::redis
