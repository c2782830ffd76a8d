// SPDX-License-Identifier: Apache-2.0
#include "idle_lock.h"

#include "passphrase_field.h"

#include <QCoreApplication>
#include <QEvent>

namespace starling::window {

IdleLock::IdleLock(QWidget* window)
    : QObject(window)
    , m_window(window)
{
    m_idle.setSingleShot(true);
    connect(&m_idle, &QTimer::timeout, this, &IdleLock::lock);
    QCoreApplication::instance()->installEventFilter(this);
}

IdleLock* IdleLock::of(const QWidget* widget)
{
    for (; widget != nullptr; widget = widget->parentWidget())
        if (auto* const lock = widget->findChild<IdleLock*>(QString(), Qt::FindDirectChildrenOnly))
            return lock;
    return nullptr;
}

void IdleLock::setPatience(std::chrono::milliseconds patience)
{
    m_idle.stop();
    m_idle.setInterval(patience);
    if (patience.count() > 0)
        m_idle.start();
}

void IdleLock::lock()
{
    m_idle.stop();
    for (auto* const field : m_window->findChildren<PassphraseField*>()) // of its dialogs, too
        field->forget();
    if (m_isLocked)
        return;
    m_isLocked = true;
    Q_EMIT changed(true);
}

void IdleLock::release()
{
    if (!m_isLocked)
        return;
    m_isLocked = false;
    Q_EMIT changed(false);
}

bool IdleLock::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::KeyPress:
    case QEvent::MouseButtonPress:
    case QEvent::MouseMove:
    case QEvent::Wheel:
    case QEvent::TouchBegin:
    case QEvent::TabletPress:
        if (m_idle.interval() > 0)
            m_idle.start(); // also while it is locked: what is typed then is wiped in its turn
        break;
    default:
        break;
    }
    return QObject::eventFilter(watched, event);
}

} // namespace starling::window
