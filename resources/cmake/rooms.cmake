# SPDX-License-Identifier: Apache-2.0
# The vocabulary of this build: a room (a folder under core/ with one target), a program, a test.

add_library(starling_flags INTERFACE)
target_compile_options(starling_flags INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    -Werror -fstack-protector-strong)
target_compile_definitions(starling_flags INTERFACE
    STARLING_VERSION="${PROJECT_VERSION}" QT_NO_CAST_FROM_ASCII QT_NO_FOREACH QT_NO_KEYWORDS)

# starling_room(NAME SOURCES a.cpp … LINKS starling::base Qt6::Core …)
# Headers are reached as "room/header.h" from core/.
function(starling_room name)
    cmake_parse_arguments(ROOM "" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
    add_library(starling_${name} STATIC ${ROOM_SOURCES})
    add_library(starling::${name} ALIAS starling_${name})
    target_include_directories(starling_${name} PUBLIC ${PROJECT_SOURCE_DIR}/core)
    target_link_libraries(starling_${name} PUBLIC ${ROOM_LINKS}
        PRIVATE $<BUILD_INTERFACE:starling_flags> ${ROOM_PRIVATE_LINKS})
endfunction()

# starling_program(TARGET OUTPUT_NAME SOURCES … LINKS …)
function(starling_program target output)
    cmake_parse_arguments(PROGRAM "" "" "SOURCES;LINKS" ${ARGN})
    add_executable(${target} ${PROGRAM_SOURCES})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${output}
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
    target_link_libraries(${target} PRIVATE starling_flags ${PROGRAM_LINKS})
endfunction()

# starling_test(tst_name LINKS starling::room … [SOURCES extra.cpp …] [TIMEOUT seconds] [LABELS …])
# builds tst_name.cpp of the calling folder against Qt Test and registers it with ctest.
function(starling_test name)
    cmake_parse_arguments(TEST "" "TIMEOUT" "SOURCES;LINKS;LABELS" ${ARGN})
    add_executable(${name} ${name}.cpp ${TEST_SOURCES})
    set_target_properties(${name} PROPERTIES AUTOMOC ON
        RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
    target_link_libraries(${name} PRIVATE starling_flags Qt6::Test ${TEST_LINKS})
    target_compile_definitions(${name} PRIVATE
        STARLING_SOURCE_DIR="${PROJECT_SOURCE_DIR}" STARLING_BINARY_DIR="${PROJECT_BINARY_DIR}")
    add_test(NAME ${name} COMMAND ${name})
    if(NOT TEST_TIMEOUT)
        set(TEST_TIMEOUT 60)
    endif()
    set_tests_properties(${name} PROPERTIES TIMEOUT ${TEST_TIMEOUT} LABELS "${TEST_LABELS}"
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen")
endfunction()
