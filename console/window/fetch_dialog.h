// SPDX-License-Identifier: Apache-2.0
/// Asks a fleet that is told in sums for signed receipts of some devices: which release, phase and site, or
/// one device, and how many may answer. What the sums let one expect is said, and that nobody has verified
/// it.
#pragma once

#include "fleetview/hints.h"
#include "job.h"
#include "trust/subscription.h"

#include <QDialog>

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace starling::window {

class ErrorCard;

class FetchDialog : public QDialog
{
    Q_OBJECT
public:
    /// Of the fleet that the agent at `socket` is told of in `hints`.
    FetchDialog(const fleetview::Hints& hints, const QString& socket, QWidget* parent = nullptr);
    ~FetchDialog() override;

private:
    QWidget* makeForm();
    void offerReleases();
    void offerPhases();
    void offerSites();
    /// What is asked for, as it stands in the fields. Fails with Usage.
    Result<trust::ReceiptAsk> ask() const;
    void showExpected();
    void send();

    fleetview::Hints m_hints;
    QString m_socket;
    std::vector<fleetview::HintedRelease> m_releases;
    std::vector<trust::Phase> m_phases;
    QStringList m_sites; ///< as they are; what is shown was made plain
    Job m_sending;
    QComboBox *m_release, *m_phase, *m_site;
    QLineEdit* m_device;
    QSpinBox* m_limit;
    QLabel* m_said;
    ErrorCard* m_error;
    QPushButton *m_ask, *m_close;
};

} // namespace starling::window
