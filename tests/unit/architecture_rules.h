// SPDX-License-Identifier: Apache-2.0
/// What may be where in this source tree, as functions over a path and a text, so that each rule can be tried
/// on a bad sample. tst_architecture.cpp applies them to the tree.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace starling::architecture {

struct File
{
    std::string path; ///< relative to the top of the tree, `/`-separated
    std::string text;
};

/// "core/room/file.cpp:12: what is wrong"
using Findings = std::vector<std::string>;

/// C++ with comments and the contents of literals blanked; line breaks and positions stay.
std::string codeOf(std::string_view text);

// Rules over one file; those that do not concern it find nothing.

/// Libraries and system headers in a room that must not know them.
Findings foreignIncludes(const File& file);
/// A room that includes one that is not below it.
Findings upwardIncludes(const File& file);
/// Clocks and randomness read where they should be given.
Findings hiddenInputs(const File& file);
/// Constructs that are banned in products: exceptions of ours, sleeping, nested event loops.
Findings bannedConstructs(const File& file);
/// `using namespace` in a header, a header without `#pragma once`.
Findings headerFaults(const File& file);
Findings missingLicence(const File& file);
/// Over 600 lines, a header over 250.
Findings overlong(const File& file);
/// Paths of the machine that somebody works on.
Findings machinePaths(const File& file);

// Rules over the tree.

/// A .cpp that no CMakeLists.txt of its folder or of one above names.
Findings unlistedSources(const std::vector<File>& tree);
/// A .h that nobody includes.
Findings unusedHeaders(const std::vector<File>& tree);

} // namespace starling::architecture
