#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes land.svg, the outline of land that the map's lens Places draws.

    npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
    ./make_land.py package/land-110m.json > land.svg

The data is Natural Earth's (public domain) as the npm package world-atlas has it; its licence is beside this file.
A ring that crosses 180 degrees is there twice, and whoever draws it clips it.
x is the longitude, y the latitude with its sign changed, in tenths of a degree. Antarctica is left out: no map here
reaches so far, and nobody updates devices there.
"""
import json
import sys

SOUTH = -58.0


def unwrapped(points):
    """Goes on beyond 180 degrees where a ring crosses them, instead of back around the world."""
    result, turn = [points[0]], 0
    for (before, _), (lon, lat) in zip(points, points[1:]):
        if abs(lon - before) > 180:
            turn += -360 if lon > before else 360
        result.append((lon + turn, lat))
    return result


def path_of(points, shift):
    path, last = [], None
    for lon, lat in points:
        at = (round((lon + shift) * 10), round(-lat * 10))
        if at == last:
            continue
        path.append("M%d %d" % at if last is None else "l%d %d" % (at[0] - last[0], at[1] - last[1]))
        last = at
    return "".join(path) + "z" if len(path) > 3 else ""


def main():
    topology = json.load(open(sys.argv[1], encoding="utf-8"))
    scale, translate = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append((x * scale[0] + translate[0], y * scale[1] + translate[1]))
        arcs.append(points)
    paths = []
    for geometry in topology["objects"]["land"]["geometries"]:
        for polygon in geometry["arcs"]:
            for ring in polygon:
                points = []
                for index in ring:
                    points += arcs[index] if index >= 0 else arcs[~index][::-1]
                if min(lat for _, lat in points) < SOUTH:
                    continue
                points = unwrapped(points)
                west, east = min(lon for lon, _ in points), max(lon for lon, _ in points)
                paths.append(path_of(points, 0))
                if west < -180:
                    paths.append(path_of(points, 360))
                if east > 180:
                    paths.append(path_of(points, -360))
    print('<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1800 -840 3600 1420">')
    print('<path fill="#000" d="' + "\n".join(path for path in paths if path) + '"/>')
    print("</svg>")


main()
