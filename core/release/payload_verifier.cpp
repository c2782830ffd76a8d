// SPDX-License-Identifier: Apache-2.0
#include "base/assert.h"
#include "release/builder.h"
#include "release/paths.h"

#include <algorithm>

namespace starling::release {

namespace {

Status compare(const PayloadFile& file, FileHasher::Result hashed, PieceLayers& layers)
{
    if (hashed.piecesRoot != file.piecesRoot)
        return fail(Errc::PayloadMismatch, quoted(file.path) + " is not what was signed");
    if (!hashed.layer.empty())
        layers[hashed.piecesRoot] = std::move(hashed.layer);
    return {};
}

} // namespace

starling::Result<PieceLayers> verifyPieces(const ReleaseInfo& info, std::vector<std::vector<Digest>> pieces)
{
    STARLING_ASSERT(pieces.size() == info.files.size());
    PieceLayers layers;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        if (info.files[i].size == 0)
            continue;
        auto hashed = FileHasher::combine(std::move(pieces[i]), info.pieceBytes);
        if (auto same = compare(info.files[i], std::move(hashed), layers); !same)
            return tl::unexpected<Error>(same.error());
    }
    return layers;
}

PayloadVerifier::PayloadVerifier(const ReleaseInfo& info)
    : m_info(info)
{
    openNext();
}

void PayloadVerifier::openNext()
{
    while (m_file < m_info.files.size() && m_info.files[m_file].size == 0)
        ++m_file;
    m_fileFed = 0;
    m_hasher.reset();
    if (m_file < m_info.files.size())
        m_hasher.emplace(m_info.files[m_file].size, m_info.pieceBytes);
}

Status PayloadVerifier::completeFile()
{
    if (auto same = compare(m_info.files[m_file], m_hasher->finish(), m_layers); !same) {
        m_refusal = same.error();
        return same;
    }
    ++m_file;
    openNext();
    return {};
}

Status PayloadVerifier::refuse(std::string why)
{
    m_refusal = Error{Errc::PayloadMismatch, std::move(why)};
    return tl::unexpected(*m_refusal);
}

Status PayloadVerifier::feed(ByteView bytes)
{
    if (m_refusal)
        return tl::unexpected(*m_refusal);
    m_fed += bytes.size();
    while (!bytes.empty()) {
        if (m_file == m_info.files.size())
            return refuse("the payload has more than its " + std::to_string(m_info.payloadBytes())
                          + " bytes");
        const std::uint64_t missing = m_info.files[m_file].size - m_fileFed;
        const auto portion = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), missing));
        m_hasher->update(bytes.first(portion));
        m_fileFed += portion;
        bytes = bytes.subspan(portion);
        if (portion < missing)
            continue;
        if (auto status = completeFile(); !status)
            return status;
    }
    return {};
}

Status PayloadVerifier::finish()
{
    if (m_refusal)
        return tl::unexpected(*m_refusal);
    if (m_file < m_info.files.size())
        return refuse(quoted(m_info.files[m_file].path) + " ends before its "
                      + std::to_string(m_info.files[m_file].size) + " bytes");
    return {};
}

} // namespace starling::release
