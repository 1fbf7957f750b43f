#include <tiktrend/base/error.hpp>

#include <boost/asio/error.hpp>

namespace tiktrend {
namespace {

class category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.base"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::timed_out:
            return "deadline passed";
        case errc::stopped:
            return "stopped";
        case errc::overloaded:
            return "too much work is waiting";
        }
        return "unknown error";
    }
};

} // namespace

const boost::system::error_category& base_category() noexcept {
    static const category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), base_category()};
}

bool is_cancelled(const error_code& e) noexcept {
    return e == boost::asio::error::operation_aborted;
}

std::string message_of(std::exception_ptr e) {
    try {
        std::rethrow_exception(std::move(e));
    } catch (const std::exception& x) {
        return x.what();
    } catch (...) {
        return "unknown exception";
    }
}

} // namespace tiktrend
