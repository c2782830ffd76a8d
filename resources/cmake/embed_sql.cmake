# SPDX-License-Identifier: Apache-2.0
# cmake -DOUTPUT=x.cpp -DSQL_FILES="0001_a.sql;0002_b.sql" -P embed_sql.cmake
# Writes the migrations, in the order of their numbers, as string literals of core/store/migrations.h.
set(number 0)
set(entries "")
foreach(file IN LISTS SQL_FILES)
    math(EXPR number "${number} + 1")
    get_filename_component(name "${file}" NAME)
    string(REGEX MATCH "^[0-9][0-9][0-9][0-9]_" prefix "${name}")
    if(NOT prefix)
        message(FATAL_ERROR "${name}: a migration's name starts with four digits and _")
    endif()
    string(REGEX REPLACE "^0*([0-9]+)_$" "\\1" given "${prefix}")
    if(NOT given EQUAL number)
        message(FATAL_ERROR "${name}: migrations are numbered without gaps, this one is number ${number}")
    endif()
    file(READ "${file}" text)
    string(APPEND entries "    // ${name}\n    R\"migration(${text})migration\",\n")
endforeach()
file(WRITE "${OUTPUT}" "// SPDX-License-Identifier: Apache-2.0
// Generated from resources/sql.
#include \"store/migrations.h\"

#include <array>

namespace starling::store {

static constexpr std::array<const char*, ${number}> kMigrations {
${entries}};

std::span<const char* const> migrations()
{
    return kMigrations;
}

} // namespace starling::store
")
