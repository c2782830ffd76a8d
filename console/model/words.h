// SPDX-License-Identifier: Apache-2.0
/// What the models' sentences and documents are made of.
#pragma once

#include <QCoreApplication>
#include <QString>

#include <cstdint>
#include <string_view>

namespace starling::console {

/// Words::tr() of what window and command line say alike.
struct Words
{
    Q_DECLARE_TR_FUNCTIONS(starling::console)
};

inline QString text(std::string_view utf8)
{
    return QString::fromUtf8(utf8.data(), static_cast<qsizetype>(utf8.size()));
}

/// As JSON has numbers.
inline qint64 number(std::uint64_t value)
{
    return static_cast<qint64>(value);
}

} // namespace starling::console
