// SPDX-License-Identifier: Apache-2.0
#include "overview_page.h"

#include "base/size.h"
#include "fleetview/query.h"
#include "map_views.h"
#include "model/hints_text.h"
#include "words.h"

#include <QDateTime>
#include <QGridLayout>
#include <QListWidget>
#include <QLocale>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QScrollArea>

#include <numeric>

namespace starling::window {

using fleetview::Standing;

namespace {

constexpr int kGlyph = 40;
constexpr int kListHeight = 190; ///< a heading and four lines; more of them scroll
constexpr int kQueryRole = Qt::UserRole, kApplicantRole = Qt::UserRole + 1, kDeedRole = Qt::UserRole + 2;
constexpr qint64 kAlone = 120'000; ///< ms: "Can't reach any peer for 2 min" (console specification)
constexpr std::size_t kMaxReleasesShown = 6; ///< guess: the rest is a click away

/// What a need is met with, if not by looking at devices.
enum class Deed : std::uint8_t { Look, Admit, Observe, Check };

QString number(std::size_t value)
{
    return QLocale().toString(static_cast<qulonglong>(value));
}

std::string queryOf(const fleetview::Need& need)
{
    return "state=" + std::string(fleetview::standingName(need.standing)) + " and uri=" + need.uri.text()
        + " and version=" + trust::toString(need.revision);
}

QByteArray applicantKey(const Applicant& applicant)
{
    return QByteArray::fromStdString(applicant.request.node.hex());
}

void setText(QLabel* label, const QString& text)
{
    label->setText(text);
    label->setAccessibleName(text);
}

QListWidget* makeList(const QString& name)
{
    auto* const list = named(new QListWidget, name, "quiet");
    list->setFrameShape(QFrame::NoFrame);
    list->setIconSize({18, 18});
    list->setUniformItemSizes(true);
    return list;
}

} // namespace

StandingBar::StandingBar(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Devices by state"));
    setFixedHeight(22);
}

void StandingBar::show(const std::array<std::size_t, fleetview::kStandings>& standings, const Theme& theme)
{
    m_standings = standings;
    m_theme = theme;
    QStringList parts;
    for (const Standing standing : fleetview::kAllStandings)
        if (const std::size_t count = standings[static_cast<std::size_t>(standing)]; count > 0)
            parts += standingWord(standing) + QLatin1Char(' ') + number(count);
    setAccessibleDescription(parts.join(QStringLiteral(", ")));
    update();
}

void StandingBar::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const std::size_t total = std::accumulate(m_standings.begin(), m_standings.end(), std::size_t{0});
    QPainterPath shape;
    shape.addRoundedRect(QRectF(rect()), 6, 6);
    painter.setClipPath(shape);
    painter.fillRect(rect(), m_theme.line);
    double left = 0;
    for (const Standing standing : fleetview::kAllStandings) {
        const std::size_t count = m_standings[static_cast<std::size_t>(standing)];
        if (count == 0)
            continue;
        // What is there is seen, however little it is.
        const double wide = std::max(4.0, width() * static_cast<double>(count) / static_cast<double>(total));
        const QRectF part(left, 0, wide, height());
        const bool isQuiet = standing == Standing::Waiting || standing == Standing::Unknown;
        painter.fillRect(part, isQuiet ? m_theme.line : m_theme.fill(standing));
        if (fleetview::isTrouble(standing) || standing == Standing::Held)
            painter.fillRect(part, QBrush(m_theme.surface, Qt::BDiagPattern));
        painter.fillRect(QRectF(part.right() - 1, 0, 1, height()), m_theme.surface);
        left += wide;
    }
}

OverviewPage::OverviewPage(QWidget* parent)
    : Page(parent)
{
    // A fleet of many sites is higher than a small screen, which must not make the window so.
    auto* const scrolling = named(new QScrollArea, tr("Overview"));
    scrolling->setWidgetResizable(true);
    scrolling->setFocusPolicy(Qt::NoFocus);
    auto* const content = new QWidget;
    content->setObjectName(QStringLiteral("page"));
    scrolling->setWidget(content);
    column(this, 0, 0)->addWidget(scrolling);
    QVBoxLayout* const layout = column(content, 24, 16);
    layout->addWidget(makeVerdict());
    layout->addLayout(makeTiles());
    layout->addLayout(makeLists());
    QWidget* const course = card(tr("How devices became healthy"));
    course->layout()->addWidget(label(tr("Healthy over time"), "heading"));
    static_cast<QVBoxLayout*>(course->layout())->addWidget(m_waves = new WavesView, 1);
    m_waves->setFocusPolicy(Qt::NoFocus); // there is nothing to do with it here; the map has it, too
    layout->addWidget(course, 1);
}

QWidget* OverviewPage::makeVerdict()
{
    QWidget* const banner = card(tr("How it goes"));
    auto* const row = new QHBoxLayout;
    row->setSpacing(16);
    m_glyph = named(new QLabel, tr("State of the fleet"));
    m_glyph->setFixedSize(kGlyph, kGlyph);
    m_verdict = label(tr("Asking the agent"), "verdict");
    m_sentence = label({}, "subtitle");
    m_sentence->setWordWrap(true);
    auto* const words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_verdict);
    words->addWidget(m_sentence);
    m_action = named(new QPushButton(tr("Show devices")), tr("Show the devices that this is about"));
    connect(m_action, &QPushButton::clicked, this,
            [this] { Q_EMIT devicesWanted(m_action->property("query").toString()); });
    row->addWidget(m_glyph);
    row->addLayout(words, 1);
    row->addWidget(m_action);
    auto* const layout = static_cast<QVBoxLayout*>(banner->layout());
    layout->addLayout(row);
    layout->addSpacing(4);
    layout->addWidget(m_bar = new StandingBar);
    layout->addWidget(m_legend = label({}, "muted"));
    m_legend->setWordWrap(true);
    m_legend->setTextFormat(Qt::RichText);
    layout->addWidget(m_hint = label({}, "muted"));
    m_hint->setWordWrap(true);
    m_hint->setTextFormat(Qt::PlainText);
    m_hint->hide();
    return banner;
}

QLayout* OverviewPage::makeTiles()
{
    auto* const row = new QHBoxLayout;
    row->setSpacing(16);
    const std::array titles{tr("Healthy in the newest"), tr("Releases known"), tr("Came from peers"),
                            tr("Forged or old, refused")};
    for (std::size_t i = 0; i < titles.size(); ++i) {
        QWidget* const tile = card(titles[i]);
        tile->layout()->setSpacing(2);
        tile->layout()->addWidget(label(titles[i], "muted"));
        tile->layout()->addWidget(m_figures[i] = label(QStringLiteral("–"), "figure"));
        tile->layout()->addWidget(m_notes[i] = label({}, "muted"));
        row->addWidget(tile, 1);
    }
    return row;
}

QLayout* OverviewPage::makeLists()
{
    auto* const row = new QHBoxLayout;
    row->setSpacing(16);
    QWidget* const needs = card(tr("Needs you"));
    needs->layout()->addWidget(label(tr("Needs you"), "heading"));
    needs->layout()->addWidget(m_needsEmpty = label(tr("Not known yet."), "muted"));
    needs->layout()->addWidget(m_needs = makeList(tr("What needs you, largest first")));
    static_cast<QVBoxLayout*>(needs->layout())->addStretch();
    needs->setMaximumHeight(kListHeight);
    QWidget* const releases = card(tr("Newest releases"));
    releases->layout()->addWidget(label(tr("Newest releases"), "heading"));
    m_releasesEmpty = label(tr("Not known yet."), "muted");
    m_releasesEmpty->setTextInteractionFlags(Qt::TextSelectableByMouse);
    releases->layout()->addWidget(m_releasesEmpty);
    releases->layout()->addWidget(m_releases = makeList(tr("Newest releases with the devices on them")));
    static_cast<QVBoxLayout*>(releases->layout())->addStretch();
    releases->setMaximumHeight(kListHeight);
    connect(m_needs, &QListWidget::itemActivated, this, [this](const QListWidgetItem* item) {
        const auto deed = static_cast<Deed>(item->data(kDeedRole).toInt());
        if (deed == Deed::Observe)
            return Q_EMIT observerWanted();
        if (deed == Deed::Check)
            return Q_EMIT checkWanted();
        const QByteArray key = item->data(kApplicantRole).toByteArray();
        for (const Applicant& applicant : m_snapshot->applicants)
            if (key == applicantKey(applicant))
                return Q_EMIT applicantChosen(applicant);
    });
    for (QListWidget* const list : {m_needs, m_releases})
        connect(list, &QListWidget::itemActivated, this, [this](const QListWidgetItem* item) {
            if (const QString query = item->data(kQueryRole).toString(); !query.isEmpty())
                Q_EMIT devicesWanted(query);
        });
    row->addWidget(needs, 1);
    row->addWidget(releases, 1);
    return row;
}

void OverviewPage::setTheme(const Theme& theme)
{
    Page::setTheme(theme);
    m_waves->setTheme(theme);
    if (m_snapshot)
        return show(m_snapshot);
    m_glyph->setPixmap(theme.glyph(Standing::Unknown, kGlyph, devicePixelRatioF()));
    for (QWidget* const widget :
         std::initializer_list<QWidget*>{m_bar, m_legend, m_action, m_needs, m_releases})
        widget->hide();
}

void OverviewPage::show(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    noteLinks();
    const auto& devices = snapshot->picture->devices;
    const bool hasSites = std::any_of(devices.begin(), devices.end(),
                                      [](const auto& device) { return !device->label("site").empty(); });
    m_waves->showSoon(snapshot->picture, hasSites ? "site" : "");
    showVerdict();
    showTiles();
    showNeeds();
    showReleases();
}

void OverviewPage::showVerdict()
{
    const fleetview::Picture& picture = *m_snapshot->picture;
    const fleetview::Mood mood = fleetview::moodOf(picture);
    m_glyph->setPixmap(m_theme.glyph(moodGlyph(mood), kGlyph, devicePixelRatioF()));
    setText(m_verdict, moodWord(mood));
    QString sentence = verdictOf(picture);
    if (!m_snapshot->status.waiting.empty())
        sentence = tr("The agent is joining its fleet: %1").arg(plain(m_snapshot->status.waiting));
    else if (m_snapshot->reading)
        sentence = tr("%1 so far. Of these: %2").arg(readingWords(*m_snapshot->reading), sentence);
    setText(m_sentence, sentence);
    m_bar->show(picture.standings, m_theme);
    m_bar->setVisible(!picture.devices.empty());
    showLegend();
    showHint();
    const QString query = mood == fleetview::Mood::Failing
        ? QStringLiteral("state=failed or state=rolled-back")
        : mood == fleetview::Mood::Slow    ? QStringLiteral("state=stalled")
        : mood == fleetview::Mood::OnTrack ? QStringLiteral("state!=healthy")
                                           : QString();
    m_action->setVisible(!query.isEmpty());
    m_action->setProperty("query", query);
}

void OverviewPage::showLegend()
{
    QStringList parts;
    for (const Standing standing : fleetview::kAllStandings)
        if (const std::size_t count = m_snapshot->picture->count(standing); count > 0)
            parts += QStringLiteral("<b>%1</b>&nbsp;%2")
                         .arg(number(count), standingWord(standing).toHtmlEscaped());
    m_legend->setText(parts.join(QStringLiteral(" &nbsp;&nbsp; ")));
    m_legend->setAccessibleName(m_bar->accessibleDescription());
    m_legend->setVisible(!parts.isEmpty());
}

/// What sums say of the newest releases, apart from all that receipts say.
void OverviewPage::showHint()
{
    m_hint->setVisible(m_snapshot->hints.has_value());
    if (!m_snapshot->hints)
        return;
    QString text = console::hintHeadline(*m_snapshot->hints);
    for (const fleetview::Release& release : m_snapshot->picture->releases)
        if (release.isNewest)
            text += tr("; %1: %2")
                        .arg(releaseName(release.uri, release.revision),
                             console::hintedPhasesText(
                                 fleetview::hintedPhases(*m_snapshot->hints, release.uri, release.revision)));
    setText(m_hint, text + tr(". All else here is by receipts that were asked for, or came before."));
}

void OverviewPage::showTiles()
{
    const fleetview::Picture& picture = *m_snapshot->picture;
    const std::size_t eligible =
        picture.devices.size() - picture.count(Standing::Held) - picture.count(Standing::Unknown);
    setText(m_figures[0],
            eligible == 0 ? QStringLiteral("–")
                          : tr("%1 of %2").arg(number(picture.count(Standing::Healthy)), number(eligible)));
    setText(m_notes[0], tr("by their own signed receipts"));
    setText(m_figures[1], number(picture.releases.size()));
    setText(m_notes[1],
            tr("of which %1 newest")
                .arg(std::count_if(picture.releases.begin(), picture.releases.end(),
                                   [](const auto& r) { return r.isNewest; })));
    std::uint64_t from = 0, to = 0;
    for (const control::TrafficLine& line : m_snapshot->status.traffic) {
        from += line.bytesFrom;
        to += line.bytesTo;
    }
    setText(m_figures[2], QString::fromStdString(toString(ByteCount{from})));
    setText(m_notes[2], tr("to this agent; it gave %1").arg(QString::fromStdString(toString(ByteCount{to}))));
    std::uint64_t refused = 0, reported = 0;
    for (const auto& [name, count] : m_snapshot->status.refused)
        refused += count;
    for (const auto& [name, count] : picture.alarms)
        reported += count;
    setText(m_figures[3], QLocale().toString(static_cast<qulonglong>(refused)));
    setText(m_notes[3],
            tr("by this agent; %1 in receipts").arg(QLocale().toString(static_cast<qulonglong>(reported))));
}

QString OverviewPage::applicantWords(const Applicant& applicant)
{
    if (applicant.renews)
        return tr("%1 wants a new certificate, its own ends on %2: %3")
            .arg(applicant.name,
                 QDateTime::fromSecsSinceEpoch(static_cast<qint64>(*applicant.renews), Qt::UTC)
                     .date()
                     .toString(Qt::ISODate),
                 applicant.words);
    return applicant.gate.isEmpty()
        ? tr("%1 asks to join: %2").arg(applicant.name, applicant.words)
        : tr("%1 asks to join at %2: %3").arg(applicant.name, applicant.gate, applicant.words);
}

/// Since when nobody is reached. An agent that knows of nobody else is not alone, but the first.
void OverviewPage::noteLinks()
{
    const control::StatusReply& status = m_snapshot->status;
    if (m_vantage != status.node)
        m_knowsOthers = false;
    m_vantage = status.node;
    m_knowsOthers = m_knowsOthers || !status.links.empty() || m_snapshot->picture->devices.size() > 1;
    const bool hasLink = std::any_of(status.links.begin(), status.links.end(),
                                     [](const control::LinkLine& link) { return link.isUp; });
    if (hasLink || !m_knowsOthers || m_snapshot->demo)
        m_aloneSince.reset();
    else if (!m_aloneSince)
        m_aloneSince = m_snapshot->takenAt;
}

void OverviewPage::showNeeds()
{
    struct Row
    {
        Standing glyph;
        QString text, query = {};
        QByteArray applicant = {};
        Deed deed = Deed::Look;
        QString hint = {};
    };
    std::vector<Row> rows;
    if (m_aloneSince && m_snapshot->takenAt - *m_aloneSince >= kAlone)
        rows.push_back({Standing::Stalled,
                        tr("This agent has reached nobody for %1: check its network")
                            .arg(spanOf(std::chrono::seconds((m_snapshot->takenAt - *m_aloneSince) / 1'000))),
                        {},
                        {},
                        Deed::Check,
                        tr("Enter or a double click asks how others reach it")});
    for (const fleetview::Need& need : fleetview::needsOf(*m_snapshot->picture))
        rows.push_back({need.standing, needWords(need), QString::fromStdString(queryOf(need))});
    for (const Applicant& applicant : m_snapshot->applicants)
        rows.push_back({Standing::Waiting,
                        applicantWords(applicant),
                        {},
                        applicantKey(applicant),
                        Deed::Admit,
                        tr("Enter or a double click lets it in")});
    if (!m_snapshot->status.isObserver && m_snapshot->status.waiting.empty())
        rows.push_back({Standing::Held,
                        tr("This agent knows itself alone: let it collect receipts of all"),
                        {},
                        {},
                        Deed::Observe,
                        tr("Enter or a double click names it an observer, with a key")});
    if (m_snapshot->leftOut > 0)
        rows.insert(
            rows.begin(),
            Row{Standing::Held,
                tr("About %1 more devices report to this agent than are shown: a console has room for %2")
                    .arg(number(m_snapshot->leftOut), number(fleetview::Fleet::kMaxDevices)),
                {}});
    rows.resize(std::min(rows.size(), fleetview::kMaxNeeds));
    const int kept = m_needs->currentRow();
    m_needs->clear();
    for (const Row& row : rows) {
        auto* const item = new QListWidgetItem(m_theme.glyphIcon(row.glyph, 18), row.text, m_needs);
        item->setData(kQueryRole, row.query);
        item->setData(kApplicantRole, row.applicant);
        item->setData(kDeedRole, static_cast<int>(row.deed));
        item->setToolTip(
            (row.hint.isEmpty() ? row.text : tr("%1 – %2").arg(row.text, row.hint)).toHtmlEscaped());
    }
    m_needs->setCurrentRow(kept);
    m_needs->setVisible(!rows.empty());
    setText(m_needsEmpty, tr("Nothing needs you."));
    m_needsEmpty->setVisible(rows.empty());
}

void OverviewPage::showReleases()
{
    const int kept = m_releases->currentRow();
    m_releases->clear();
    for (const fleetview::Release& release : m_snapshot->picture->releases) {
        if (!release.isNewest || static_cast<std::size_t>(m_releases->count()) == kMaxReleasesShown)
            continue;
        const Standing glyph = release.count(Standing::Failed) + release.count(Standing::RolledBack) > 0
            ? Standing::Failed
            : release.count(Standing::Healthy) == release.devices() && release.devices() > 0
            ? Standing::Healthy
            : Standing::Installing;
        QString text = tr("%1: healthy on %2 of %3 that have it")
                           .arg(releaseName(release.uri, release.revision),
                                number(release.count(Standing::Healthy)), number(release.devices()));
        if (release.known && !release.known->label.empty())
            text += QStringLiteral("  ·  ") + plain(release.known->label, 60);
        auto* const item = new QListWidgetItem(m_theme.glyphIcon(glyph, 18), text, m_releases);
        item->setData(kQueryRole, QStringLiteral("uri=") + plain(release.uri.text()));
    }
    m_releases->setCurrentRow(kept);
    m_releases->setVisible(m_releases->count() > 0);
    setText(m_releasesEmpty, tr("No release yet. Drop a file or a folder on this window, or press Ctrl+N."));
    m_releasesEmpty->setVisible(m_releases->count() == 0);
}

} // namespace starling::window
