#pragma once
// The Asio types that the whole project shares. Objects of this project belong to one executor that is run by
// one thread (ARCHITECTURE.md, "Threads"); no object is thread-safe unless its header says so.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace tiktrend {

namespace asio = boost::asio;

/// A coroutine of the project. Nothing runs before it is awaited or given to a task_group.
template <class T = void>
using task = asio::awaitable<T>;

} // namespace tiktrend
