#include <tiktrend/access/error.hpp>

namespace tiktrend::access {
namespace {

class access_category final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "tiktrend.access"; }
    std::string message(int value) const override {
        switch (static_cast<errc>(value)) {
        case errc::malformed:
            return "not a JSON Web Token";
        case errc::unsupported:
            return "the token's algorithm, type or extension is not supported";
        case errc::unknown_key:
            return "no key for this token";
        case errc::bad_signature:
            return "the token's signature is wrong";
        case errc::expired:
            return "the token has expired";
        case errc::not_yet_valid:
            return "the token is not valid yet";
        case errc::wrong_issuer:
            return "the token is of another issuer";
        case errc::wrong_audience:
            return "the token is for another audience";
        case errc::no_subject:
            return "the token names no subject";
        case errc::bad_key_set:
            return "not a JWK set with a usable key";
        }
        return "unknown error";
    }
};

} // namespace

const boost::system::error_category& category() noexcept {
    static const access_category instance;
    return instance;
}

error_code make_error_code(errc value) noexcept {
    return {static_cast<int>(value), category()};
}

} // namespace tiktrend::access
