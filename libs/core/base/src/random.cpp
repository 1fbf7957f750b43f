#include <tiktrend/base/random.hpp>

#include <openssl/rand.h>

#include <stdexcept>

namespace tiktrend {

default_random::default_random() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    engine_.seed(seed);
}

double default_random::next() {
    return std::uniform_real_distribution<double>{0.0, 1.0}(engine_);
}

std::string random_bytes(std::size_t n) {
    std::string out(n, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(n)) != 1)
        throw std::runtime_error("the system's random generator gives no bytes");
    return out;
}

} // namespace tiktrend
