// SPDX-License-Identifier: Apache-2.0
/// `starling release withdraw`: takes a release back.
#include "admin/release_work.h"
#include "admin/withdrawing.h"
#include "node/disk.h"
#include "note.h"
#include "passphrase.h"
#include "report.h"

namespace starling::cli {

using namespace std::chrono_literals;

namespace {

struct WithdrawOptions
{
    std::string file, key, output;
    PassphraseSource passphrase;
};

Result<Exit> withdrawRelease(const CommandLine& line, const WithdrawOptions& options)
{
    const auto torrent = console::readRelease(options.file);
    if (!torrent)
        return fail(Error(torrent.error()), "release withdraw");
    const release::UpdateInfo& update = torrent->info.update;
    auto agent = control::Client::connect(toQString(line.agent));
    if (!agent)
        return tl::unexpected<Error>(agent.error());
    const auto key = openKey(options.key, options.passphrase);
    if (!key)
        return tl::unexpected<Error>(key.error());
    const auto done =
        console::withdraw(*agent, {update.uri, update.revision, torrent->infoHash}, *key, line.timeout(30s));
    if (!done)
        return fail(Error(done.error()), "release withdraw");
    if (done->isNew)
        note(line, console::Act::ReleaseWithdrawn, update.uri.text() + " " + trust::toString(update.revision),
             "key " + key->id().hex() + ", info-hash " + torrent->infoHash.hex());
    if (!options.output.empty())
        if (auto written = node::writeFile(options.output, done->envelope, node::FileMode::Public); !written)
            return tl::unexpected<Error>(written.error());
    if (line.json) {
        QJsonObject object = cli::jsonOf(*torrent);
        object.insert(QStringLiteral("published"), done->isNew);
        printJson(object);
    }
    say(line,
        done->isNew
            ? plain("Withdrawn   " + update.uri.text() + " version " + trust::toString(update.revision)
                    + ": devices that do not have it in place yet stop; those that do keep it until a later "
                      "version")
            : std::string("Nothing to do: it is withdrawn, or a later version has taken its place"));
    return done->isNew ? Exit::Ok : Exit::NothingToDo;
}

} // namespace

void addWithdrawCommand(CLI::App& group, CommandLine& line)
{
    auto options = std::make_shared<WithdrawOptions>();
    CLI::App* command =
        addCommand(group, line, "withdraw", "Take a release back: devices that do not have it in place stop",
                   "  starling release withdraw gateway-2.4.1.torrent --key fleet/keys/release-1.key",
                   [&line, options] { return withdrawRelease(line, *options); });
    command->add_option("FILE", options->file, "The torrent-file++ of the release")->required();
    command->add_option("--key", options->key, "A key of the release's scope; one is enough")->required();
    command->add_option("-o,--output", options->output, "Keep the signed withdrawal in this file, too");
    options->passphrase.addToOpening(*command);
}

} // namespace starling::cli
