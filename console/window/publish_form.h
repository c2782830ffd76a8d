// SPDX-License-Identifier: Apache-2.0
/// First step of a release: what it is made of, its name and version, who may take it and how. Fills in what
/// it can tell from the payload and the fleet.
#pragma once

#include "feed.h"
#include "job.h"
#include "node/payload_files.h"
#include "trust/trust_set.h"

#include <QLineEdit>
#include <QWidget>
#include <filesystem>

class QComboBox;
class QGridLayout;
class QLabel;
class QPushButton;
class QSpinBox;

namespace starling::window {

/// What is to become a release.
struct Draft
{
    std::filesystem::path payload;
    release::UpdateInfo update;
};

class PublishForm : public QWidget
{
    Q_OBJECT
public:
    explicit PublishForm(QWidget* parent = nullptr);
    /// Looks at the payload and fills in what follows from it.
    void setPayload(const QString& path);
    void setPicture(fleetview::PicturePtr picture);
    /// Whose scopes say what may be published, and under which epoch.
    void setTrust(std::shared_ptr<const trust::TrustSet> trust);
    void startAnew();
    void focusPayload() { m_payload->setFocus(); }
    /// What was filled in. Fails with what is wrong with it: InvalidUri, Rollback (a version that is not
    /// above the newest), WrongScope (nobody may sign it), PayloadMissing, Usage.
    Result<Draft> draft() const;

Q_SIGNALS:
    void ready(); ///< go on
    void failed(const QString& what, const starling::Error& error);

private:
    QWidget* makePayload();
    QWidget* makeNames();
    QWidget* makeHandling();
    void addField(QGridLayout* grid, int row, int column, const QString& name, QWidget* field);
    void choose(bool isDirectory);
    void take(const node::PayloadListing& listing);
    void fillScripts(const node::PayloadListing& listing);
    void fillNames();
    void fillVersion();
    void showNewest();
    void showMethod();
    std::optional<trust::Revision> newest() const;
    Status requireVersion(const ResourceUri& uri, std::uint64_t version) const;
    Result<release::UpdateInfo> update() const;

    Job m_look;
    fleetview::PicturePtr m_picture;
    std::shared_ptr<const trust::TrustSet> m_trust;
    bool m_hasOwnVersion = false; ///< somebody typed one
    QString m_listed; ///< the payload that was looked at
    QLineEdit *m_payload, *m_uri, *m_version, *m_label, *m_requires;
    QComboBox *m_method, *m_run, *m_check, *m_undo;
    QSpinBox* m_limit;
    QLabel *m_found, *m_newest;
    QPushButton* m_next;
};

} // namespace starling::window
