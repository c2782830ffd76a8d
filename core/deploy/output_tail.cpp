// SPDX-License-Identifier: Apache-2.0
#include "deploy/output_tail.h"

#include <QList>
#include <QString>

namespace starling::deploy {

namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool isHarmless(char32_t character)
{
    switch (QChar::category(character)) {
    case QChar::Other_Control:
        return character == U'\n' || character == U'\t';
    case QChar::Other_Format: // direction marks, zero-width characters, tags
    case QChar::Other_Surrogate:
    case QChar::Separator_Line:
    case QChar::Separator_Paragraph:
        return false;
    default:
        return true;
    }
}

bool isContinuation(char byte)
{
    return (static_cast<unsigned char>(byte) & 0xC0u) == 0x80u;
}

/// `text` without the rest of a character whose first bytes were cut off (three at most).
std::string_view fromCharacterStart(std::string_view text)
{
    for (int skipped = 0; skipped < 3 && !text.empty() && isContinuation(text.front()); ++skipped)
        text.remove_prefix(1);
    return text;
}

} // namespace

std::string cleanText(std::string_view raw)
{
    QString decoded = QString::fromUtf8(raw.data(), static_cast<qsizetype>(raw.size()));
    decoded.replace(QLatin1String("\r\n"), QLatin1String("\n"));
    QList<uint> characters = decoded.toUcs4();
    for (uint& character : characters)
        if (!isHarmless(character))
            character = kReplacement;
    return QString::fromUcs4(reinterpret_cast<const char32_t*>(characters.constData()), characters.size())
        .toStdString();
}

void OutputTail::append(std::string_view raw)
{
    if (raw.size() > m_limit) {
        raw.remove_prefix(raw.size() - m_limit);
        m_raw.clear();
        m_isCut = true;
    }
    m_raw.append(raw);
    // Cutting at twice the limit and not at every call copies each byte once at most.
    if (m_raw.size() > 2 * m_limit) {
        m_raw.erase(0, m_raw.size() - m_limit);
        m_isCut = true;
    }
}

std::string OutputTail::text() const
{
    std::string_view raw = m_raw;
    const bool isCut = m_isCut || raw.size() > m_limit;
    if (raw.size() > m_limit)
        raw.remove_prefix(raw.size() - m_limit);
    std::string clean = cleanText(isCut ? fromCharacterStart(raw) : raw);
    // A replaced byte became three.
    if (clean.size() > m_limit)
        clean.erase(0, clean.size() - m_limit);
    return std::string(fromCharacterStart(clean));
}

} // namespace starling::deploy
