#pragma once
#include <tiktrend/testing/redis_server.hpp>

namespace tiktrend::bench {

/// The processor time that a Redis uses between two looks (INFO cpu: used_cpu_user + used_cpu_sys).
class redis_meter {
public:
    explicit redis_meter(const testing::redis_server& server) : server_{server}, start_{now()} {}
    double seconds() const { return now() - start_; }

private:
    double now() const;
    const testing::redis_server& server_;
    double start_;
};

} // namespace tiktrend::bench
