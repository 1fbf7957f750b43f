# GCC 12 destroys aggregate temporaries twice in a full expression with a co_await
# (docs/adr/0002-clang-19-and-cpp20-coroutines.md), so older GCC is refused instead of miscompiling in silence.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
    message(FATAL_ERROR
        "GCC ${CMAKE_CXX_COMPILER_VERSION} destroys temporaries twice in co_await expressions. "
        "Use clang-19 (Debian 12: apt-get install clang-19) with the presets, or GCC 13 or newer.")
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
