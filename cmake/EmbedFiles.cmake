# embed_files(<target> NAMESPACE <ns> HEADER <path> ROOT <dir> FILES <relative paths…>)
# Compiles text files into <target>: declares `std::span<const tiktrend::embedded_file> <ns>::files()` in HEADER.
# The files are read at build time, so touching one rebuilds only the generated source.
set(TIKTREND_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_DIR}/EmbedFilesScript.cmake)
function(embed_files target)
    cmake_parse_arguments(E "" "NAMESPACE;NAME;ROOT" "FILES" ${ARGN})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/embedded_${E_NAME}.cpp)
    set(inputs)
    foreach(f IN LISTS E_FILES)
        list(APPEND inputs ${E_ROOT}/${f})
    endforeach()
    string(REPLACE ";" "|" list_arg "${E_FILES}")
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DOUT=${out} -DROOT=${E_ROOT} "-DFILES=${list_arg}" -DNAMESPACE=${E_NAMESPACE}
                -DNAME=${E_NAME} -P ${TIKTREND_EMBED_SCRIPT}
        DEPENDS ${inputs} ${TIKTREND_EMBED_SCRIPT}
        COMMENT "Embedding ${E_NAME}" VERBATIM)
    target_sources(${target} PRIVATE ${out})
    # The standard promises 64 KiB of a literal; our compilers take more.
    set_source_files_properties(${out} PROPERTIES SKIP_PRECOMPILE_HEADERS ON COMPILE_OPTIONS -Wno-overlength-strings)
endfunction()
