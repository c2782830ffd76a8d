// SPDX-License-Identifier: Apache-2.0
#include "read_only.h"

#include <QCoreApplication>
#include <QMessageBox>

namespace starling::window {

namespace {

constexpr const char* kProperty = "starling-read-only";

} // namespace

void setReadOnly(bool isReadOnly)
{
    QCoreApplication::instance()->setProperty(kProperty, isReadOnly);
}

bool isReadOnly()
{
    return QCoreApplication::instance()->property(kProperty).toBool();
}

bool mayChange(QWidget* window)
{
    if (!isReadOnly())
        return true;
    auto* const box = new QMessageBox(
        QMessageBox::Information, QCoreApplication::translate("ReadOnly", "This console only shows"),
        QCoreApplication::translate("ReadOnly",
                                    "It was started with --read-only: nothing is signed, sent, admitted or "
                                    "changed from here. Start it without that to do so."),
        QMessageBox::Close, window);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setAccessibleName(box->windowTitle());
    box->open();
    return false;
}

} // namespace starling::window
