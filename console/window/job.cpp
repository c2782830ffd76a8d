// SPDX-License-Identifier: Apache-2.0
#include "job.h"

#include "base/size.h"
#include "words.h"

namespace starling::window {

namespace {
constexpr double kSettled = 0.5; ///< s; guess: a rate over less is noise
}

Job::Job(QObject* parent)
    : QObject(parent)
{
}

Job::~Job()
{
    cancel();
    if (m_thread.joinable())
        m_thread.join();
}

QString Job::progressText() const
{
    const auto finished = static_cast<double>(done());
    const auto whole = static_cast<double>(total());
    const double seconds = static_cast<double>(m_clock.elapsed()) / 1'000;
    if (finished <= 0 || whole <= 0)
        return {};
    QString text = tr("%1 %").arg(static_cast<int>(finished * 100 / whole));
    if (seconds < kSettled)
        return text;
    text += tr(", %1").arg(
        QString::fromStdString(toString(BytesPerSecond{static_cast<std::uint64_t>(finished / seconds)})));
    const auto left = static_cast<long>(seconds * (whole - finished) / finished + 0.5);
    return text + tr(", %1 left").arg(spanOf(std::chrono::seconds(left)));
}

} // namespace starling::window
