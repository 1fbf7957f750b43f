# The package tiktrend-queue: this library, the two it stands on and its Asio (compiled once; the mode is part of the targets).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS tiktrend_asio tiktrend_base tiktrend_redis tiktrend_queue EXPORT tiktrend-queue-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT tiktrend-queue)
foreach(part core/base core/redis queue)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/libs/${part}/include/tiktrend DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        COMPONENT tiktrend-queue)
endforeach()
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/tiktrend-queue)
install(EXPORT tiktrend-queue-targets NAMESPACE tiktrend:: DESTINATION ${package_dir} COMPONENT tiktrend-queue)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/tiktrend-queue-config.cmake.in
    ${CMAKE_CURRENT_BINARY_DIR}/tiktrend-queue-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/tiktrend-queue-config-version.cmake
    VERSION ${PROJECT_VERSION} COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/tiktrend-queue-config.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/tiktrend-queue-config-version.cmake
    DESTINATION ${package_dir} COMPONENT tiktrend-queue)
