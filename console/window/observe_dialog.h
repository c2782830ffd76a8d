// SPDX-License-Identifier: Apache-2.0
/// Who collects the receipts of a fleet's devices: the agent that is asked, or another device, for how long,
/// of which resources, and from how many devices on it is told in sums.
#pragma once

#include "feed.h"
#include "signing_dialog.h"

class QLineEdit;
class QSpinBox;

namespace starling::window {

class ObserveDialog final : public SigningDialog
{
    Q_OBJECT
public:
    /// `snapshot` may be null: then devices are named by their ids alone.
    ObserveDialog(const SnapshotPtr& snapshot, const QString& directory, const QString& socket,
                  QWidget* parent = nullptr);

private:
    QWidget* makeForm();
    /// Whom the field means; nothing: the agent that is asked. NotFound, Usage (several have the name).
    Result<std::optional<NodeId>> observer() const;
    void showWho();
    QString nameOf(const NodeId& node) const;
    Work work() const override;

    SnapshotPtr m_snapshot;
    QLineEdit *m_observer, *m_scope;
    QSpinBox *m_days, *m_sums;
    QLabel* m_who;
};

} // namespace starling::window
