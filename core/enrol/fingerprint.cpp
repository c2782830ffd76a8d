// SPDX-License-Identifier: Apache-2.0
#include "enrol/fingerprint.h"

#include "crypto/sha256.h"

#include <utility>

namespace starling::enrol {

namespace {

/// One for each value of a byte, sorted; no two begin with the same four letters, so that they are told apart
/// when they are read out or typed. Other programs may show the same words: the list never changes.
constexpr std::array<std::string_view, 256> kWords{
    "acorn",   "adobe",   "agate",   "alarm",   "album",   "alder",   "almond",  "amber",   "anchor",
    "angle",   "ankle",   "apple",   "apron",   "arbor",   "arrow",   "aspen",   "atlas",   "attic",
    "autumn",  "axle",    "bacon",   "badge",   "bagel",   "bakery",  "ballad",  "bamboo",  "banjo",
    "banner",  "barley",  "barn",    "basil",   "basket",  "beacon",  "beaver",  "bench",   "berry",
    "birch",   "bishop",  "bison",   "bobbin",  "bottle",  "branch",  "bridge",  "broom",   "bucket",
    "bugle",   "butter",  "cabin",   "cactus",  "camel",   "candle",  "canoe",   "canvas",  "canyon",
    "carbon",  "carpet",  "carrot",  "castle",  "cellar",  "cement",  "cherry",  "chess",   "cider",
    "cinema",  "circus",  "clover",  "cobalt",  "comet",   "copper",  "coral",   "cotton",  "cousin",
    "cradle",  "crater",  "dagger",  "daisy",   "dancer",  "decade",  "delta",   "desert",  "donkey",
    "dragon",  "drum",    "duchess", "eagle",   "easel",   "echo",    "eclipse", "elbow",   "ember",
    "engine",  "falcon",  "farmer",  "feather", "ferry",   "fiddle",  "field",   "finch",   "flannel",
    "flute",   "forest",  "fossil",  "fox",     "galaxy",  "garden",  "garlic",  "gazelle", "ginger",
    "glacier", "globe",   "goblet",  "gondola", "gorilla", "granite", "grape",   "guitar",  "hammer",
    "harbor",  "harvest", "hazel",   "helmet",  "heron",   "hockey",  "honey",   "hornet",  "hotel",
    "hunter",  "igloo",   "indigo",  "insect",  "island",  "ivory",   "jacket",  "jaguar",  "jasmine",
    "jelly",   "jigsaw",  "jungle",  "juniper", "kayak",   "kernel",  "kettle",  "kidney",  "kitchen",
    "kiwi",    "ladder",  "lagoon",  "lantern", "laurel",  "lemon",   "leopard", "lichen",  "lily",
    "linen",   "lizard",  "lobster", "locket",  "lumber",  "magnet",  "mango",   "maple",   "marble",
    "meadow",  "melon",   "mercury", "mirror",  "mitten",  "monkey",  "mosaic",  "motor",   "muffin",
    "mustard", "napkin",  "nectar",  "needle",  "nickel",  "nomad",   "nutmeg",  "oasis",   "ocean",
    "octopus", "olive",   "onion",   "orange",  "orchid",  "otter",   "oyster",  "paddle",  "palace",
    "panda",   "pants",   "paper",   "parrot",  "pebble",  "pelican", "pepper",  "piano",   "pigeon",
    "pillow",  "pirate",  "planet",  "plum",    "pocket",  "poppy",   "potato",  "prairie", "pumpkin",
    "puzzle",  "quarry",  "quilt",   "rabbit",  "radish",  "raven",   "ribbon",  "river",   "robin",
    "rocket",  "saddle",  "saffron", "salmon",  "sandal",  "satin",   "scarf",   "shovel",  "silver",
    "sparrow", "spider",  "sugar",   "sunset",  "tailor",  "teapot",  "temple",  "thunder", "tiger",
    "timber",  "tomato",  "trumpet", "tulip",   "tundra",  "turnip",  "turtle",  "vanilla", "velvet",
    "village", "violin",  "volcano", "waffle",  "walnut",  "walrus",  "willow",  "window",  "winter",
    "wizard",  "yellow",  "zebra",   "zipper",
};

} // namespace

std::string fingerprintOf(const NodeId& node)
{
    const Digest digest = crypto::sha256(node.bytes());
    std::string text;
    for (const std::byte byte : digest.bytes().first(kFingerprintWords)) {
        if (!text.empty())
            text += '-';
        text += kWords[std::to_integer<std::size_t>(byte)];
    }
    return text;
}

std::string normalFingerprint(std::string_view text)
{
    std::string normal;
    bool isBetween = false;
    for (const char c : text) {
        const bool isUpper = c >= 'A' && c <= 'Z';
        if (!isUpper && (c < 'a' || c > 'z')) {
            isBetween = !normal.empty();
            continue;
        }
        if (std::exchange(isBetween, false))
            normal += '-';
        normal += isUpper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return normal;
}

} // namespace starling::enrol
