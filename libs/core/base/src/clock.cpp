#include <tiktrend/base/clock.hpp>

namespace tiktrend {

const wall_clock& system_wall_clock() noexcept {
    class system_clock final : public wall_clock {
    public:
        std::int64_t now_ms() const noexcept override {
            using namespace std::chrono;
            return duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
        }
    };
    static const system_clock instance;
    return instance;
}

} // namespace tiktrend
