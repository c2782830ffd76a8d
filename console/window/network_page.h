// SPDX-License-Identifier: Apache-2.0
/// Network: how others reach the agent that is asked, how each of its links goes and why not better, and who
/// is linked to it if it is a rendezvous. Asks the agent itself, and only while somebody looks.
#pragma once

#include "control/net_messages.h"
#include "job.h"
#include "page.h"

#include <QTimer>

class QTabWidget;

namespace starling::window {

class ErrorCard;
class NetworkCheck;
class RowsTable;

class NetworkPage : public Page
{
    Q_OBJECT
public:
    explicit NetworkPage(const QString& socket);
    /// Names of devices are taken from it.
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    using Page::show;
    /// Another agent is asked from now on; what the one before told is forgotten. A demo has none: empty.
    void setAgent(const QString& socket);
    /// As by the button.
    void check();

    // What an agent has told.
    void showCheck(const control::NetCheckReply& reply);
    void showLinks(const control::PeersReply& reply);
    void showSessions(const control::SessionsReply& reply);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    struct Told
    {
        control::PeersReply peers;
        control::SessionsReply sessions;
    };
    QWidget* makeLinks();
    QWidget* makeFacts();
    QWidget* makeSessions();
    void forget();
    void ask();
    void take(Result<Told> told);
    void showFacts(const control::NetCheckReply& reply);
    void showAge();
    void showChosen();
    QString nameOf(const NodeId& node) const;

    QString m_socket;
    fleetview::PicturePtr m_picture;
    Job m_asking;
    int m_turn = 0; ///< which agent is asked
    QTimer m_timer;
    qint64 m_toldAt = 0; ///< ms since 1970; 0: nothing yet
    NetworkCheck* m_check;
    QTabWidget* m_tabs;
    ErrorCard* m_error;
    QLabel *m_demo, *m_linksSaid, *m_linksAge, *m_chosen, *m_factsSaid, *m_sessionsSaid;
    RowsTable *m_links, *m_facts, *m_sessions;
};

} // namespace starling::window
