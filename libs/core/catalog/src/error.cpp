#include <tiktrend/catalog/error.hpp>

namespace tiktrend::catalog {
namespace {

class catalog_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.catalog"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::fenced:
            return "a newer attempt of the job has taken over";
        case errc::already_finished:
            return "the job has already finished";
        case errc::not_started:
            return "the attempt was never started";
        case errc::bad_key:
            return "not an API key";
        case errc::unknown_key:
            return "unknown API key";
        case errc::revoked_key:
            return "the API key was revoked or has expired";
        case errc::email_taken:
            return "another user has this e-mail address";
        case errc::subject_taken:
            return "another user has this subject";
        }
        return "unknown error";
    }
};

} // namespace

const boost::system::error_category& category() noexcept {
    static const catalog_category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), category()};
}

} // namespace tiktrend::catalog
