#pragma once
#include <tiktrend/base/event.hpp>
#include <tiktrend/queue/worker.hpp>

#include <boost/json.hpp>

namespace tiktrend::interop {

/// What a job does, as its data says (tests/interop/README.md): {progress: [..], logs: [..], work_ms, hold,
/// fail_times, reason, unrecoverable, result}. `gate` is what {hold: true} waits for; `ran` gets {id,
/// attempt}. Both must outlive the worker.
queue::processor make_processor(event& gate, boost::json::array& ran);

} // namespace tiktrend::interop
