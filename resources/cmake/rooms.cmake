# SPDX-License-Identifier: Apache-2.0
# The vocabulary of this build: a room (a folder under core/ with one target), a program, a test.

add_library(starling_flags INTERFACE)
target_compile_options(starling_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Werror -fstack-protector-strong)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND NOT CMAKE_DISABLE_PRECOMPILE_HEADERS)
    # From a precompiled header GCC 12 reports what it wrongly suspects of std::string, too (its bug 105329); without one
    # it knows that those headers are the system's.
    target_compile_options(starling_flags INTERFACE -Wno-array-bounds -Wno-restrict -Wno-stringop-overflow)
endif()
target_compile_definitions(starling_flags INTERFACE
    STARLING_VERSION="${PROJECT_VERSION}" QT_NO_CAST_FROM_ASCII QT_NO_FOREACH QT_NO_KEYWORDS)

# starling_precompiled(TARGET LINKS … HEADERS <a> <b> …): headers that are parsed once for all targets that reuse them.
# Measured: three quarters of the time of compiling a file went into the headers. Every file still includes what it
# uses; -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON builds without, and shows where one does not.
function(starling_precompiled target)
    cmake_parse_arguments(PRECOMPILED "" "" "LINKS;HEADERS" ${ARGN})
    file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${target}.cpp CONTENT "// The headers are all there is.\n")
    add_library(${target} OBJECT ${PROJECT_BINARY_DIR}/${target}.cpp)
    target_link_libraries(${target} PRIVATE starling_flags ${PRECOMPILED_LINKS})
    target_precompile_headers(${target} PRIVATE ${PRECOMPILED_HEADERS})
endfunction()

set(starling_std_headers <algorithm> <array> <charconv> <chrono> <compare> <cstdint> <deque> <functional> <map>
    <memory> <optional> <set> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <tl/expected.hpp>)
starling_precompiled(starling_std LINKS tl::expected HEADERS ${starling_std_headers})
# For what uses Qt without windows: starling_uses_qt_headers(TARGET …).
starling_precompiled(starling_qt LINKS Qt6::Core Qt6::Network tl::expected
    HEADERS ${starling_std_headers} <QtCore> <QtNetwork>)
function(starling_uses_qt_headers)
    foreach(target IN LISTS ARGN)
        target_precompile_headers(${target} REUSE_FROM starling_qt)
        target_compile_definitions(${target} PRIVATE QT_NETWORK_LIB) # or GCC does not take the header
    endforeach()
endfunction()

# What ships is optimized as it ships; the code of the tests themselves is compiled quicker (by a third, measured).
add_library(starling_test_flags INTERFACE)
target_compile_options(starling_test_flags INTERFACE $<$<CONFIG:Release>:-O1>)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    # With less inlining GCC 12 takes a std::optional that nobody asked for as read.
    target_compile_options(starling_test_flags INTERFACE $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
endif()
# Qt Test tells its headers the folders of each test, by which it would find data files; no test asks, and headers
# that are the same for all can be parsed once for all.
target_compile_options(starling_test_flags INTERFACE -UQT_TESTCASE_BUILDDIR -UQT_TESTCASE_SOURCEDIR)

# starling_room(NAME SOURCES a.cpp … LINKS starling::base Qt6::Core …)
# Headers are reached as "room/header.h" from core/.
function(starling_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(starling_${name} STATIC ${ROOM_SOURCES})
    add_library(starling::${name} ALIAS starling_${name})
    target_include_directories(starling_${name} PUBLIC ${PROJECT_SOURCE_DIR}/core)
    target_link_libraries(starling_${name} PUBLIC ${ROOM_LINKS}
        PRIVATE $<BUILD_INTERFACE:starling_flags> ${ROOM_PRIVATE_LINKS})
    if(Qt6::Core IN_LIST ROOM_LINKS)
        starling_uses_qt_headers(starling_${name})
    else()
        target_precompile_headers(starling_${name} REUSE_FROM starling_std)
    endif()
endfunction()

# starling_program(TARGET OUTPUT_NAME SOURCES … LINKS …)
function(starling_program target output)
    cmake_parse_arguments(PROGRAM "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${target} ${PROGRAM_SOURCES})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output}
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    target_link_libraries(${target} PRIVATE starling_flags ${PROGRAM_LINKS})
endfunction()

# starling_test(tst_name LINKS starling::room … [SOURCES extra.cpp …] [TIMEOUT seconds] [LABELS …] [PRECOMPILED target])
# builds tst_name.cpp of the calling folder against Qt Test and registers it with ctest.
function(starling_test name)
    cmake_parse_arguments(TEST "" "TIMEOUT;PRECOMPILED" "SOURCES;LINKS;LABELS" ${ARGN})
    add_executable(${name} ${name}.cpp ${TEST_SOURCES})
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    # Not AUTOMOC, which compiles a file of its own for each test: that was a fifth of the whole build.
    set(moc ${CMAKE_CURRENT_BINARY_DIR}/moc)
    qt_generate_moc(${name}.cpp ${moc}/${name}.moc TARGET ${name})
    target_sources(${name} PRIVATE ${moc}/${name}.moc)
    target_include_directories(${name} PRIVATE ${moc})
    target_link_libraries(${name} PRIVATE starling_flags starling_test_flags Qt6::Test Qt6::Network ${TEST_LINKS})
    # All tests say that Network is there, for Qt Test's headers depend on it.
    if(NOT TARGET starling_qt_test)
        starling_precompiled(starling_qt_test LINKS starling_test_flags Qt6::Test Qt6::Network tl::expected
            HEADERS ${starling_std_headers} <QtTest> ${PROJECT_SOURCE_DIR}/tests/support/patience.h)
    endif()
    if(NOT TEST_PRECOMPILED)
        set(TEST_PRECOMPILED starling_qt_test)
    endif()
    target_precompile_headers(${name} REUSE_FROM ${TEST_PRECOMPILED})
    target_compile_definitions(${name} PRIVATE
        STARLING_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STARLING_BINARY_DIR="${PROJECT_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 120) # seconds; most take one of them
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}"
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;XDG_DATA_HOME=${PROJECT_BINARY_DIR}/tests/home")
endfunction()
