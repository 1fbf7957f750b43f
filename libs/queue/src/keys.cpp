#include "keys.hpp"

#include <tiktrend/queue/error.hpp>

#include <openssl/evp.h>

#include <stdexcept>

namespace tiktrend::queue {
namespace {

std::string base64(std::string_view text) {
    std::string bytes{text}, out(4 * ((text.size() + 2) / 3) + 1, '\0'); // with room for the terminator
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    out.resize(static_cast<std::size_t>(
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), from, static_cast<int>(bytes.size()))));
    return out;
}

} // namespace

void check_queue_name(std::string_view name) {
    if (name.empty() || name.find(':') != std::string_view::npos)
        throw input_error(errc::invalid_argument, "queue name", '"' + std::string{name} + '"',
                          "a text without a colon");
}

queue_keys::queue_keys(std::string_view prefix, std::string_view queue) {
    check_queue_name(queue);
    base_.append(prefix).append(":").append(queue).append(":");
    connection_.append(prefix).append(":").append(base64(queue));
}

std::string queue_keys::state(job_state s) const {
    switch (s) {
    case job_state::waiting:
        return base_ + "wait"; // list
    case job_state::active:
        return base_ + "active"; // list
    case job_state::completed:
        return base_ + "completed"; // zset, as all below
    case job_state::failed:
        return base_ + "failed";
    case job_state::delayed:
        return base_ + "delayed";
    case job_state::prioritized:
        return base_ + "prioritized";
    case job_state::waiting_children:
        return base_ + "waiting-children";
    case job_state::unknown:
        break;
    }
    throw std::invalid_argument("no key holds jobs of an unknown state");
}

std::string queue_keys::worker_connection(std::string_view worker) const {
    return worker.empty() ? connection_ : connection_ + ":w:" + std::string{worker};
}

std::string queue_keys::events_connection() const {
    return connection_ + ":qe";
}

} // namespace tiktrend::queue
