// SPDX-License-Identifier: Apache-2.0
/// Nobody has touched the window for a while: what was typed of passphrases is wiped, and the keychain is not
/// asked until somebody has typed one again. What is shown stays to be seen: nothing of it is secret.
#pragma once

#include <QObject>
#include <QTimer>

#include <chrono>

class QWidget;

namespace starling::window {

class IdleLock : public QObject
{
    Q_OBJECT
public:
    /// Watches the application's windows for `window`, of which it becomes a child.
    explicit IdleLock(QWidget* window);
    /// The one of the window that `widget` is in, or of the window above its dialog; nullptr if there is
    /// none.
    static IdleLock* of(const QWidget* widget);

    /// From now on; zero never locks by itself.
    void setPatience(std::chrono::milliseconds patience);
    bool isLocked() const { return m_isLocked; }
    void lock();
    /// Somebody has typed a passphrase that opened a key.
    void release();

Q_SIGNALS:
    void changed(bool isLocked);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* m_window;
    QTimer m_idle;
    bool m_isLocked = false;
};

} // namespace starling::window
