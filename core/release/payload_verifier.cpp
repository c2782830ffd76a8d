// SPDX-License-Identifier: Apache-2.0
#include "release/builder.h"
#include "release/paths.h"

#include <algorithm>

namespace starling::release {

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
    const PayloadFile& file = m_info.files[m_file];
    FileHasher::Result hashed = m_hasher->finish();
    if (hashed.piecesRoot != file.piecesRoot)
        return refuse(quoted(file.path) + " is not what was signed");
    if (!hashed.layer.empty())
        m_layers[hashed.piecesRoot] = std::move(hashed.layer);
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
