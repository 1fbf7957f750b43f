#pragma once
#include <tiktrend/queue/worker.hpp>

namespace tiktrend::queue {

/// The options with everything that has a default or a range brought into it (see worker_options). Throws
/// std::invalid_argument for a name with a blank, and for a rate limit without its window.
worker_options checked(worker_options options);

} // namespace tiktrend::queue
