// SPDX-License-Identifier: Apache-2.0
#include "aside.h"

namespace starling::window {

Aside::Aside(QObject* parent)
    : QObject(parent)
{
    m_pool.setMaxThreadCount(1);
}

Aside::~Aside() = default;

void Aside::start(bool isNow, std::function<Told()> work)
{
    if (isNow) {
        drop();
        return work()();
    }
    if (m_isWorking) {
        m_next = std::move(work);
        return;
    }
    begin(std::move(work));
}

void Aside::drop()
{
    m_next = nullptr;
    m_isOutdated = m_isWorking;
}

void Aside::begin(std::function<Told()> work)
{
    m_isWorking = true;
    m_isOutdated = false;
    m_pool.start([this, work = std::move(work)] {
        // The destructor waits for this; what is queued for one that is gone is dropped by Qt.
        QMetaObject::invokeMethod(
            this,
            [this, told = work()] {
                m_isWorking = false;
                if (!m_isOutdated)
                    told();
                if (m_next)
                    begin(std::exchange(m_next, nullptr));
            },
            Qt::QueuedConnection);
    });
}

} // namespace starling::window
