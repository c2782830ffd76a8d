// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "demo.h"
#include "node/disk.h"
#include "node/payload_files.h"

#include <cstdio>

namespace starling::demo {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kPortion = 1024 * 1024;

/// Incompressible, different in every version, the same in every run.
Status writeData(const fs::path& file, std::uint64_t bytes, std::uint64_t seed)
{
    SeededRandom random(seed);
    Bytes portion(kPortion);
    std::FILE* out = std::fopen(file.c_str(), "wb");
    if (out == nullptr)
        return tl::unexpected<Error>(node::diskError(errno, file));
    bool good = true;
    for (std::uint64_t done = 0; done < bytes && good; done += kPortion) {
        const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(kPortion, bytes - done));
        random.fill(std::span(portion).first(size));
        good = std::fwrite(portion.data(), 1, size, out) == size;
    }
    good = std::fclose(out) == 0 && good;
    if (!good)
        return tl::unexpected<Error>(node::diskError(errno, file));
    return {};
}

} // namespace

Result<fs::path> makePayload(const Options& options, const fs::path& workspace, std::uint64_t version)
{
    const fs::path payload = workspace / ("starling-release-" + std::to_string(version));
    const fs::path scripts = fs::path(STARLING_SOURCE_DIR) / "resources" / "demo";
    std::error_code error;
    fs::create_directories(payload / "bin", error);
    fs::copy_file(options.programs / "starling", payload / "bin" / "starling", error);
    for (const char* script : {"install.sh", "check.sh"})
        if (!error)
            fs::copy_file(scripts / script, payload / script, error);
    if (!error && !options.payload.empty())
        fs::copy(options.payload, payload / "content", fs::copy_options::recursive, error);
    if (error)
        return fail(Errc::Io, "making the payload: " + error.message());
    if (auto written = node::writeFile(payload / "RELEASE", viewOf(std::to_string(version) + "\n"),
                                       node::FileMode::Public);
        !written)
        return tl::unexpected<Error>(written.error());
    if (options.payload.empty())
        if (auto written = writeData(payload / "data.bin", options.dataBytes.value, version); !written)
            return tl::unexpected<Error>(written.error());
    return payload;
}

Result<std::string> hashTree(const fs::path& directory, const std::vector<release::PayloadFile>& files)
{
    crypto::Sha256 hash;
    const auto read = node::readContents(directory.parent_path(), directory.filename().string(), false, files,
                                         [&](ByteView portion) -> Status {
                                             hash.update(portion);
                                             return {};
                                         });
    if (!read)
        return tl::unexpected<Error>(read.error());
    return hash.finish().hex();
}

} // namespace starling::demo
