# The few functions that declare a target; every CMakeLists below is a list of files.

# tt_library(<part> SOURCES … LINK <public targets…> PRIVATE <private targets…>)
# A static library tiktrend_<part>, alias tiktrend::<part>, headers in include/, the rest in src/.
function(tt_library part)
    cmake_parse_arguments(L "NO_PCH" "" "SOURCES;LINK;PRIVATE" ${ARGN})
    add_library(tiktrend_${part} STATIC ${L_SOURCES})
    add_library(tiktrend::${part} ALIAS tiktrend_${part})
    set_target_properties(tiktrend_${part} PROPERTIES EXPORT_NAME ${part})
    target_include_directories(tiktrend_${part}
        PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
        PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
    target_link_libraries(tiktrend_${part} PUBLIC ${L_LINK} PRIVATE ${L_PRIVATE} $<BUILD_INTERFACE:tiktrend_options>)
    if(NOT L_NO_PCH)
        tt_use_pch(tiktrend_${part})
    endif()
endfunction()

# Reuses the one precompiled header (Asio's coroutine part and the standard headers everybody includes).
function(tt_use_pch target)
    if(TARGET tiktrend_pch)
        target_precompile_headers(${target} REUSE_FROM tiktrend_pch)
    endif()
endfunction()

# tt_app(<name> SOURCES … LINK …): a static library tiktrend_<name>_app with everything and an executable of main.cpp alone.
function(tt_app name)
    cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
    add_library(tiktrend_${name}_app STATIC ${A_SOURCES})
    target_include_directories(tiktrend_${name}_app PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(tiktrend_${name}_app PUBLIC ${A_LINK} PRIVATE tiktrend_options)
    tt_use_pch(tiktrend_${name}_app)
    add_executable(tiktrend-${name} main.cpp)
    target_link_libraries(tiktrend-${name} PRIVATE tiktrend_${name}_app tiktrend_options)
    set_target_properties(tiktrend-${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    tt_use_pch(tiktrend-${name})
endfunction()

# tt_add_test(<name> LABEL unit|integration|interop|e2e|fault|package SOURCES … LINK … [TIMEOUT s] [SERIAL])
# One Catch2 program and one ctest entry. It shares tests/support and its main.
function(tt_add_test name)
    cmake_parse_arguments(T "SERIAL;NO_PCH" "LABEL;TIMEOUT" "SOURCES;LINK;ENVIRONMENT" ${ARGN})
    if(NOT T_TIMEOUT)
        set(T_TIMEOUT 120)
    endif()
    set(target test_${T_LABEL}_${name})
    add_executable(${target} ${T_SOURCES})
    target_link_libraries(${target} PRIVATE tiktrend_test_support ${T_LINK} tiktrend_options)
    if(NOT T_NO_PCH)
        tt_use_pch(${target})
    endif()
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    add_test(NAME ${T_LABEL}.${name} COMMAND ${target} --durations yes --order lex WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${T_LABEL}.${name} PROPERTIES LABELS ${T_LABEL} TIMEOUT ${T_TIMEOUT}
        ENVIRONMENT "TIKTREND_SOURCE_DIR=${PROJECT_SOURCE_DIR};TIKTREND_BIN_DIR=${PROJECT_BINARY_DIR}/bin;${T_ENVIRONMENT}")
    if(T_SERIAL)
        set_tests_properties(${T_LABEL}.${name} PROPERTIES RUN_SERIAL ON)
    endif()
endfunction()

# While the house is being filled: adds a folder that exists.
function(tt_add_folders)
    foreach(dir IN LISTS ARGN)
        if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${dir}/CMakeLists.txt)
            add_subdirectory(${dir})
        endif()
    endforeach()
endfunction()
