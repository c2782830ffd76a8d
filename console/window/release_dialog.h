// SPDX-License-Identifier: Apache-2.0
/// A torrent-file++ that somebody was given: what it is, who signed it, whether devices of this fleet let it
/// pass and why not, and whether a payload is the one that was signed. Nobody is asked for that.
#pragma once

#include "admin/release_look.h"
#include "feed.h"
#include "job.h"
#include "theme.h"

#include <QDialog>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace starling::window {

class ErrorCard;

class ReleaseDialog : public QDialog
{
    Q_OBJECT
public:
    /// Judged by the root in the fleet's `directory`, if there is one. `snapshot`, which may be null, tells
    /// what devices have.
    ReleaseDialog(const QString& file, const QString& directory, const SnapshotPtr& snapshot,
                  const Theme& theme, QWidget* parent = nullptr);
    ~ReleaseDialog() override;

    /// Whether `file` is a torrent-file++, or is called one.
    static bool isRelease(const QString& file);
    /// Reads a file or folder, and tells whether it is what was signed.
    void compareWith(const QString& payload);

private:
    QWidget* makeButtons();
    void read(const QString& directory, const SnapshotPtr& snapshot, const Theme& theme);
    void showRefusal();
    void askForPayload();
    void finish(const Status& compared);
    void showProgress();

    QString m_file;
    std::optional<console::ReleaseLook> m_look;
    Job m_comparing;
    QTimer m_tick; ///< while a payload is read
    QLabel *m_title, *m_glyph, *m_verdict, *m_signers, *m_compared;
    ErrorCard* m_error;
    QPlainTextEdit* m_content;
    QPushButton *m_close, *m_compare;
};

} // namespace starling::window
