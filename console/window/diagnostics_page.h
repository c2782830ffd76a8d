// SPDX-License-Identifier: Apache-2.0
/// Diagnostics: what somebody who helps has to know, shown before it is copied or saved.
#pragma once

#include "model/diagnostics.h"
#include "page.h"

class QPlainTextEdit;
class QPushButton;

namespace starling::window {

class ErrorCard;

class DiagnosticsPage : public Page
{
    Q_OBJECT
public:
    explicit DiagnosticsPage(QString socket);
    void show(const SnapshotPtr& snapshot) override;
    using Page::show;
    void setFleet(const QString& socket, const QString& directory);
    void showLost(const QString& why) { m_trouble = why; }
    /// Makes the files anew, from what is known now.
    void refresh();
    /// The files that are shown, into a new folder. AlreadyExists, Io, DiskFull.
    Status saveTo(const QString& folder) const;
    const std::vector<console::DiagnosticFile>& files() const { return m_files; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    console::DiagnosticSurroundings surroundings() const;
    void askWhere();

    QString m_socket, m_directory, m_trouble;
    SnapshotPtr m_snapshot;
    std::vector<console::DiagnosticFile> m_files;
    ErrorCard* m_error;
    QLabel *m_list, *m_done;
    QPlainTextEdit* m_contents;
    QPushButton *m_refresh, *m_copy, *m_save;
};

} // namespace starling::window
