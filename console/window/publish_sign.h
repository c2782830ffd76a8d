// SPDX-License-Identifier: Apache-2.0
/// Second step of a release: the exact manifest, and the key that signs it. Nothing is signed that was not
/// shown.
#pragma once

#include "admin/keys.h"
#include "job.h"
#include "release/torrent_file.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace starling::window {

class PassphraseField;

class PublishSign : public QWidget
{
    Q_OBJECT
public:
    explicit PublishSign(QWidget* parent = nullptr);
    ~PublishSign() override;

    /// Shows what `torrent` says, and offers the keys of `directory` (a fleet's, or one with key files) that
    /// may sign it.
    void begin(release::TorrentFile torrent, std::shared_ptr<const trust::TrustSet> trust,
               const QString& directory);
    const release::TorrentFile& torrent() const { return *m_torrent; }
    /// What was typed is wiped.
    void forget();

Q_SIGNALS:
    /// The signatures reach the threshold, and the release verifies as it does on a device.
    void signedWell();
    void failed(const QString& what, const starling::Error& error);
    void backWanted();

private:
    void offer(const QString& directory);
    void addKey(const console::KeyFile& key);
    void browse();
    void sign();
    void take(Result<std::shared_ptr<crypto::SecretKey>> key);
    void showProgress();
    const trust::Scope* scope() const;

    std::optional<release::TorrentFile> m_torrent;
    std::shared_ptr<const trust::TrustSet> m_trust;
    Job m_opening;
    QPlainTextEdit* m_manifest;
    QComboBox* m_keys;
    PassphraseField* m_passphrase;
    QLabel* m_progress;
    QPushButton *m_sign, *m_back;
};

} // namespace starling::window
