// SPDX-License-Identifier: Apache-2.0
/// What the map can be told to do: keys, how close one looks, the clipboard, files.
#include "map_page.h"

#include "admin/sites_file.h"
#include "model/map_csv.h"
#include "words.h"

#include <QAccessible>
#include <QClipboard>
#include <QFileDialog>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QMessageBox>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QSettings>
#include <QStackedWidget>

#include <cmath>

namespace starling::window {

namespace {

const QString kSitesKey = QStringLiteral("map/sites");
constexpr int kMaxZoom = 6; ///< guess: a 4 px cell becomes a card's size
constexpr double kZoomStep = 1.5;

} // namespace

double MapPage::magnification() const
{
    return std::pow(kZoomStep, m_zoom);
}

/// 0 is all at once. Places has a magnification of its own: land does not become larger with a window.
void MapPage::zoomTo(int zoom)
{
    m_zoom = std::clamp(zoom, 0, kMaxZoom);
    for (QScrollArea* const area : {m_wavesScroll, m_spreadScroll})
        area->widget()->setMinimumSize(m_zoom == 0 ? QSize(0, 0)
                                                   : area->maximumViewportSize() * magnification());
    refresh();
    if (m_zoom > 0)
        return;
    for (const QScrollArea* const area : {m_gridScroll, m_wavesScroll, m_spreadScroll}) {
        area->horizontalScrollBar()->setValue(0);
        area->verticalScrollBar()->setValue(0);
    }
}

void MapPage::focusLegend()
{
    for (QPushButton* const mark : m_marks)
        if (mark->isVisible())
            return mark->setFocus(Qt::ShortcutFocusReason);
}

/// What the map says, in sentences: for the clipboard, and for whoever listens.
void MapPage::copySummary()
{
    if (!m_snapshot)
        return;
    const QString summary = verdictOf(*picture()) + QLatin1Char(' ') + noteText();
    QGuiApplication::clipboard()->setText(summary);
    m_note->setText(tr("Copied: %1").arg(summary));
    m_note->setAccessibleName(m_note->text());
    QAccessibleEvent told(m_note, QAccessible::Alert);
    QAccessible::updateAccessibility(&told);
}

void MapPage::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_T && event->modifiers() == Qt::NoModifier)
        return setLens(m_lens == Lens::Table ? m_pictured : Lens::Table);
    if (event->key() == Qt::Key_Home && event->modifiers() == Qt::ShiftModifier)
        return m_snapshot ? m_time->goTo(m_snapshot->picture->since) : void();
    // On many keyboards + is above =.
    if (event->key() == Qt::Key_Plus || event->key() == Qt::Key_Equal)
        return zoomTo(m_zoom + 1);
    if ((event->modifiers() & ~Qt::KeypadModifier) == Qt::NoModifier)
        switch (event->key()) {
        case Qt::Key_1:
        case Qt::Key_2:
        case Qt::Key_3:
        case Qt::Key_4:
            return setLens(static_cast<Lens>(event->key() - Qt::Key_1));
        case Qt::Key_Minus:
            return zoomTo(m_zoom - 1);
        case Qt::Key_0:
        case Qt::Key_Home:
            return zoomTo(0);
        case Qt::Key_L:
            return focusLegend();
        case Qt::Key_F2:
            return copySummary();
        case Qt::Key_Backspace:
            return goUp();
        case Qt::Key_Comma:
            return m_time->step(-1);
        case Qt::Key_Period:
            return m_time->step(1);
        case Qt::Key_P:
            return m_time->isPlaying() ? m_time->pause() : m_time->play();
        case Qt::Key_End: // the grid takes it for its last cell
            return m_time->goLive();
        default:
            break;
        }
    Page::keyPressEvent(event);
}

Status MapPage::exportTo(const QString& path, Format format) const
{
    if (!m_snapshot)
        return fail(Errc::NotFound, "there is nothing to export yet");
    if (format == Format::Csv)
        return writeAll(path, console::mapCsv(*picture(), field(), m_places->sites()));
    const bool isGrid = m_lens == Lens::Grid;
    const QSize size = isGrid    ? m_grid->size()
        : m_lens == Lens::Spread ? m_spread->size().expandedTo(m_spread->minimumSizeHint())
        : m_lens == Lens::Places ? m_places->size().expandedTo(m_places->minimumSizeHint())
                                 : m_waves->size().expandedTo(m_waves->minimumSizeHint());
    const auto paint = [&](QPainter& painter) {
        if (m_lens == Lens::Waves)
            m_waves->paint(painter, size);
        else if (m_lens == Lens::Spread)
            m_spread->paint(painter, size);
        else if (m_lens == Lens::Places)
            m_places->paint(painter, size);
        else
            m_grid->painter().paint(painter);
    };
    return writePicture(path, format, size, 2, m_theme.surface, paint);
}

Status MapPage::useSites(const QString& file)
{
    fleetview::Sites sites;
    if (!file.isEmpty()) {
        auto read = console::readSites(file.toStdString());
        if (!read)
            return tl::unexpected<Error>(read.error());
        sites = std::move(*read);
    }
    QSettings().setValue(kSitesKey, file);
    m_sitesProblem.clear();
    m_places->setSites(std::move(sites));
    refresh();
    return {};
}

void MapPage::chooseSites()
{
    auto* const dialog = new QFileDialog(this, tr("Where sites are"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& path) {
        if (const Status used = useSites(path); !used)
            warn(tr("Where sites are"),
                 tr("The file is not used.\n%1\nEach line is a site and its degrees: berlin = 52.52 "
                    "13.40\n%2"),
                 used.error());
    });
    dialog->open();
}

void MapPage::warn(const QString& title, const QString& text, const Error& error)
{
    auto* const box =
        new QMessageBox(QMessageBox::Warning, title,
                        text.arg(plain(error.context), QString::fromStdString(codeName(error.code))),
                        QMessageBox::Close, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setTextFormat(Qt::PlainText);
    box->open();
}

void MapPage::chooseExport(Format format)
{
    static const std::array kEndings{QStringLiteral("png"), QStringLiteral("svg"), QStringLiteral("csv")};
    const QString& ending = kEndings[static_cast<std::size_t>(format)];
    auto* const dialog = new QFileDialog(this, tr("Export the map"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setDefaultSuffix(ending);
    dialog->selectFile(QStringLiteral("fleet.") + ending);
    connect(dialog, &QFileDialog::fileSelected, this, [this, format](const QString& path) {
        if (const Status done = exportTo(path, format); !done)
            warn(tr("Export the map"),
                 tr("The file was not written.\n%1\nChoose another place, or make room there.\n%2"),
                 done.error());
    });
    dialog->open();
}

} // namespace starling::window
