// SPDX-License-Identifier: Apache-2.0
#include "passphrase.h"

#include "keychain_wait.h"
#include "node/disk.h"
#include "node/identity.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

namespace starling::cli {

namespace {

constexpr std::size_t kMaxPassphraseBytes = 1'024;

/// Reads up to the end of the line or file into memory that is wiped.
Result<crypto::SecretText> readLine(int fd)
{
    std::array<char, kMaxPassphraseBytes> buffer{};
    std::size_t size = 0;
    while (size < buffer.size()) {
        const ssize_t got = ::read(fd, buffer.data() + size, 1);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0 || buffer[size] == '\n')
            break;
        ++size;
    }
    crypto::SecretText text(std::string_view(buffer.data(), size));
    buffer.fill(0);
    if (text.isEmpty())
        return fail(Errc::KeyUnreadable, "an empty passphrase");
    return text;
}

Result<crypto::SecretText> prompt(const std::string& question)
{
    const node::Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    termios old{};
    if (!terminal.isOpen() || ::tcgetattr(terminal.get(), &old) != 0)
        return fail(
            Errc::KeyUnreadable,
            "a passphrase is needed and there is no terminal: use --passphrase-file or --passphrase-fd");
    termios silent = old;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(terminal.get(), TCSAFLUSH, &silent);
    ::dprintf(terminal.get(), "%s: ", question.c_str());
    auto text = readLine(terminal.get());
    ::dprintf(terminal.get(), "\n");
    ::tcsetattr(terminal.get(), TCSAFLUSH, &old);
    return text;
}

} // namespace

void PassphraseSource::addTo(CLI::App& command)
{
    auto* byFd =
        command.add_option("--passphrase-fd", fd, "Read the passphrase from this open file descriptor");
    command
        .add_option("--passphrase-file", file,
                    "Read the passphrase from this file, which only its owner may read")
        ->excludes(byFd);
}

void PassphraseSource::addToOpening(CLI::App& command)
{
    addTo(command);
    command
        .add_flag(
            "--keychain", asksKeychain,
            "Take the passphrase from the desktop's keychain (starling key remember), and ask if it is not "
            "there")
        ->excludes("--passphrase-fd")
        ->excludes("--passphrase-file");
}

Result<crypto::SecretText> readPassphrase(const PassphraseSource& source, const std::string& purpose, Ask ask)
{
    if (source.fd >= 0)
        return readLine(source.fd);
    if (!source.file.empty()) {
        auto bytes = node::readKeyFile(source.file);
        if (!bytes)
            return fail(std::move(bytes.error()), "passphrase file");
        std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
        text = text.substr(0, text.find('\n'));
        if (text.empty())
            return fail(Errc::KeyUnreadable, "passphrase file " + source.file + " is empty");
        crypto::SecretText secret(text);
        std::fill(bytes->begin(), bytes->end(), std::byte{0});
        return secret;
    }
    auto first = prompt("Passphrase for " + purpose);
    if (!first || ask == Ask::Once)
        return first;
    auto second = prompt("The same again");
    if (!second)
        return second;
    const ByteView a = first->bytes();
    const ByteView b = second->bytes();
    if (!std::equal(a.begin(), a.end(), b.begin(), b.end()))
        return fail(Errc::Usage, "the two passphrases differ; nothing was written");
    return first;
}

Result<bool> confirm(const std::string& question)
{
    const node::Descriptor terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
    if (!terminal.isOpen())
        return fail(Errc::Usage, "there is no terminal to ask on: compare the words, then give --yes");
    ::dprintf(terminal.get(), "%s [y/N] ", question.c_str());
    std::string answer;
    for (char c = 0; answer.size() < 8 && ::read(terminal.get(), &c, 1) == 1 && c != '\n';)
        answer += c;
    return answer == "y" || answer == "yes";
}

namespace {

/// Nothing if it is not there; said on standard error then.
Result<std::optional<crypto::SecretKey>> openFromKeychain(const std::filesystem::path& file, ByteView bytes,
                                                          const KeyId& id)
{
    const auto remembered = awaitKeychainRead(id);
    if (!remembered) {
        std::fprintf(stderr, "%s: %s\n", file.filename().c_str(), toString(remembered.error()).c_str());
        return std::optional<crypto::SecretKey>();
    }
    auto key = crypto::unsealKey(bytes, **remembered);
    if (!key)
        return fail(std::move(key.error()), "key " + file.string() + ", with the keychain's passphrase");
    return std::optional(std::move(*key));
}

} // namespace

Result<crypto::SecretKey> openKey(const std::filesystem::path& file, const PassphraseSource& source)
{
    auto bytes = node::readKeyFile(file);
    if (!bytes)
        return fail(std::move(bytes.error()), "key");
    auto header = crypto::inspectKey(*bytes);
    if (!header)
        return fail(std::move(header.error()), "key " + file.string());
    if (!header->isSealed)
        return crypto::openPlainKey(*bytes);
    if (source.asksKeychain) {
        auto opened = openFromKeychain(file, *bytes, header->id);
        if (!opened)
            return tl::unexpected<Error>(opened.error());
        if (*opened)
            return std::move(**opened);
    }
    auto passphrase = readPassphrase(
        source, "key " + file.filename().string() + " (" + header->id.shortHex() + ")", Ask::Once);
    if (!passphrase)
        return fail(std::move(passphrase.error()), "key " + file.string());
    auto key = crypto::unsealKey(*bytes, *passphrase);
    if (!key)
        return fail(std::move(key.error()), "key " + file.string());
    return key;
}

} // namespace starling::cli
