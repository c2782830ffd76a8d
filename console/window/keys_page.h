// SPDX-License-Identifier: Apache-2.0
/// Keys: those that the fleet's root names, by role, and which of them are sealed in files here.
#pragma once

#include "admin/fleet_keys.h"
#include "job.h"
#include "key_change_dialog.h"
#include "page.h"

class QPushButton;
class QScrollArea;

namespace starling::window {

class ErrorCard;

class KeysPage : public Page
{
    Q_OBJECT
public:
    explicit KeysPage(QString socket);
    void show(const SnapshotPtr& snapshot) override;
    void setTheme(const Theme& theme) override;
    using Page::show;
    void setFleet(const QString& socket, const QString& directory);
    /// Reads root and files again.
    void reload();
    /// As reload() found them.
    void show(const console::FleetKeys& keys);

Q_SIGNALS:
    void firstStepsWanted();
    void choiceWanted(); ///< somebody has a signing request, and looks for it
    void requestWanted(const QString& file); ///< a root is drafted, and wants to be signed

protected:
    void showEvent(QShowEvent* event) override;

private:
    void build();
    void showHolders();
    QWidget* roleCard(const console::KeyDuty& duty);
    QWidget* keyRow(const console::FleetKey& key);
    QWidget* otherFiles();
    QPushButton* changeButton(const console::FleetKey& key);
    void change(const KeyId& key, KeyStep step);
    void showTrusting();
    std::vector<std::uint64_t> rootsOfDevices() const;
    void copyWords(const console::FleetKey& key);
    void exportPublic(const console::FleetKey& key);
    void backUp(const console::FleetKey& key);
    void askWhere(const QString& title, const QString& proposed, std::function<void(const QString&)> then);
    void tell(const QString& text);

    QString m_socket, m_directory;
    SnapshotPtr m_snapshot;
    std::optional<console::FleetKeys> m_keys;
    std::optional<std::uint64_t> m_askedForRoot; ///< the number that the agent told when the root was read
    Job m_reading;
    ErrorCard* m_error;
    QLabel *m_about, *m_holders, *m_done, *m_empty;
    QPushButton *m_reload, *m_firstSteps;
    QScrollArea* m_area;
    std::vector<std::pair<QLabel*, std::set<std::uint64_t>>>
        m_trusting; ///< of each row, with the key's roots
};

} // namespace starling::window
