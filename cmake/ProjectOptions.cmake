# Warnings and sanitizers are one INTERFACE target that our own code links privately; users of the libraries never see it.
option(TIKTREND_WERROR "Treat warnings as errors" OFF)
set(TIKTREND_SANITIZE "" CACHE STRING "address, undefined | thread | empty")

add_library(tiktrend_options INTERFACE)
target_compile_options(tiktrend_options INTERFACE
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wold-style-cast
    -Woverloaded-virtual -Wimplicit-fallthrough
    $<$<BOOL:${TIKTREND_WERROR}>:-Werror>
    # ccache and clang's precompiled headers need this pair (ccache manual, "Precompiled headers")
    $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
if(TIKTREND_SANITIZE)
    # PUBLIC on every target would leak; the whole tree is ours when a sanitizer is on
    add_compile_options(-fsanitize=${TIKTREND_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${TIKTREND_SANITIZE})
endif()
