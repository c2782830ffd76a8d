// SPDX-License-Identifier: Apache-2.0
/// Second step of a release: the exact manifest, and the key that signs it. Nothing is signed that was not
/// shown.
#pragma once

#include "admin/keys.h"
#include "release/signing_request.h"

#include <QWidget>

#include <functional>

class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace starling::window {

class KeyChooser;

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
    /// Whether `request` is about what is shown here.
    bool isAbout(const release::SigningRequest& request) const;
    /// Takes the signatures that others gave by file; as sign() goes on.
    void merge(const release::SigningRequest& request);

Q_SIGNALS:
    /// Others are asked by file: what there is so far is to be kept.
    void othersAsked();
    /// The signatures reach the threshold, and the release verifies as it does on a device.
    void signedWell();
    void failed(const QString& what, const starling::Error& error);
    void backWanted();

private:
    void sign();
    void take(Result<std::shared_ptr<crypto::SecretKey>> key);
    void settle();
    void showProgress();
    QWidget* makeOthers();
    void askWhere(bool isWritten, std::function<void(const QString&)> then);
    void writeRequest(const QString& path);
    void readRequest(const QString& path);
    const trust::Scope* scope() const;

    std::optional<release::TorrentFile> m_torrent;
    std::shared_ptr<const trust::TrustSet> m_trust;
    QString m_directory;
    QPlainTextEdit* m_manifest;
    KeyChooser* m_key;
    QLabel* m_progress;
    QWidget* m_others; ///< signatures by file; hidden where one signature is enough
    QPushButton *m_sign, *m_back;
};

} // namespace starling::window
