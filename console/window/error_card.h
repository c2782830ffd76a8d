// SPDX-License-Identifier: Apache-2.0
/// What failed, why, what to do, and a code that can be copied and looked up (console specification).
#pragma once

#include "base/result.h"

#include <QFrame>

class QLabel;
class QPushButton;

namespace starling::window {

class ErrorCard : public QFrame
{
    Q_OBJECT
public:
    explicit ErrorCard(QWidget* parent = nullptr);
    /// `what` in a sentence; why and what to do follow from `error` (resources/docs/errors.md).
    void tell(const QString& what, const Error& error);
    QString code() const { return m_codeText; }

private:
    QLabel *m_what, *m_why, *m_advice, *m_code;
    QPushButton* m_copy;
    QString m_codeText;
};

/// What to do about `code`, as the table of errors.md says; empty if it says nothing.
QString adviceOn(Errc code);

} // namespace starling::window
