#include <tiktrend/redis/error.hpp>

#include <array>

namespace tiktrend::redis {
namespace {

class redis_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.redis"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::not_connected:
            return "not connected to Redis";
        case errc::connection_lost:
            return "connection to Redis lost before the reply";
        case errc::protocol_error:
            return "the peer does not speak RESP2, or a reply is too large";
        case errc::timed_out:
            return "no reply from Redis in time";
        case errc::too_many_waiting:
            return "too many commands wait for Redis";
        case errc::not_ready:
            return "Redis is not ready";
        case errc::refused:
            return "Redis refused the command for now";
        case errc::access_denied:
            return "Redis denied access";
        case errc::bad_url:
            return "not a Redis URL";
        }
        return "unknown error";
    }
};

struct known_word {
    std::string_view word;
    errc meaning;
};

constexpr std::array known_words{
    known_word{"LOADING", errc::not_ready},
    known_word{"MASTERDOWN", errc::not_ready},
    known_word{"READONLY", errc::not_ready},
    known_word{"CLUSTERDOWN", errc::not_ready},
    known_word{"UNBLOCKED", errc::not_ready},
    known_word{"OOM", errc::refused},
    known_word{"MISCONF", errc::refused},
    known_word{"NOREPLICAS", errc::refused},
    known_word{"BUSY", errc::refused},
    known_word{"NOAUTH", errc::access_denied},
    known_word{"WRONGPASS", errc::access_denied},
    known_word{"NOPERM", errc::access_denied},
    known_word{"DENIED", errc::access_denied},
};

/// What a call that a script made was answered. Redis 7 says it as it is; before, it stands behind "ERR Error
/// running script (call to f_SHA): @user_script:3: @user_script: 3: -".
std::string_view words_of_call(std::string_view server_text) noexcept {
    constexpr std::string_view wrapped = "ERR Error running script";
    constexpr std::string_view mark = ": -";
    if (!server_text.starts_with(wrapped)) return server_text;
    const auto at = server_text.find(mark, wrapped.size());
    return at == std::string_view::npos ? server_text : server_text.substr(at + mark.size());
}

} // namespace

const boost::system::error_category& category() noexcept {
    static const redis_category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), category()};
}

error_code classify(std::string_view server_text) noexcept {
    const auto words = words_of_call(server_text);
    const auto first = words.substr(0, words.find(' '));
    for (const auto& k : known_words)
        if (first == k.word) return k.meaning;
    return {};
}

server_error::server_error(error_code code, const std::string& where, std::string text)
    : system_error{code, where + ": " + text}, text_{std::move(text)} {}

bool is_certainly_not_executed(const error_code& e) noexcept {
    if (e == tiktrend::errc::stopped) return true;
    if (e.category() != category()) return false;
    switch (static_cast<errc>(e.value())) {
    case errc::not_connected:
    case errc::too_many_waiting:
    case errc::not_ready:
    case errc::refused:
    case errc::access_denied:
    case errc::bad_url:
        return true;
    case errc::connection_lost:
    case errc::protocol_error:
    case errc::timed_out:
        break;
    }
    return false;
}

} // namespace tiktrend::redis
