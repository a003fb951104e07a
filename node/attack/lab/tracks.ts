/**
 * Recorded tracks as a scene. The hour of each person with the most fixes moves to the hour of the scene, so that all people
 * live at once. Places are real; who met whom is not. The attacker searches around all fixes.
 */
import type { Fix } from '@geotrace/core-wasm'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { readPeople } from '../../src/cli/replay/people.ts'
import { FIX_MS, type LabPerson, METRE, type Position, type Scene } from './scene.ts'

/** The attacker searches squares of this half side around each fix, in steps of the grid. */
const AROUND_M = 40
const GRID_M = 8
/** A person who gets further than this in the hour moves. */
const MOVING_M = 200
const FIXES_MIN = 4

/** `from`: Unix ms of the hour of the scene. Throws what the importers throw. */
export async function readTracks(folder: string, from: number): Promise<Scene> {
  const people: LabPerson[] = []
  for (const { id, fixes } of await readPeople([folder])) {
    const hour = busiestHour(fixes)
    const shift = from - (hour[0] === undefined ? 0 : Math.floor(hour[0].at / FIX_MS) * FIX_MS)
    const moved = hour.map(({ lat, lng, at }): Fix => ({ lat, lng, accuracyM: 5, at: at + shift }))
    if (moved.length >= FIXES_MIN) people.push({ id, fixes: moved, isMoving: extent(moved) > MOVING_M })
  }
  return { name: 'tracks', people, from, area: people.flatMap(({ fixes }) => fixes.flatMap(around)) }
}

/** One fix for each five minutes of the hour that has the most. */
function busiestHour(fixes: readonly Fix[]): Fix[] {
  const blocks = [...new Map(fixes.map((fix) => [Math.floor(fix.at / FIX_MS), fix])).values()]
  let best: Fix[] = []
  let end = 0
  for (const [i, first] of blocks.entries()) {
    const until = Math.floor(first.at / FIX_MS) * FIX_MS + HOUR_MS
    while (end < blocks.length && blocks[end]!.at < until) end++
    if (end - i > best.length) best = blocks.slice(i, end)
  }
  return best
}

/** Metres between the two fixes that are furthest from the first one and from each other, roughly. */
function extent(fixes: readonly Position[]): number {
  const [first] = fixes
  return Math.max(...fixes.map((fix) => Math.hypot(fix.lat - first!.lat, fix.lng - first!.lng) / METRE))
}

function around({ lat, lng }: Position): Position[] {
  const steps = Array.from({ length: (2 * AROUND_M) / GRID_M + 1 }, (_, i) => (i * GRID_M - AROUND_M) * METRE)
  const stretch = 1 / Math.cos((lat * Math.PI) / 180)
  return [
    { lat, lng },
    ...steps.flatMap((north) => steps.map((east) => ({ lat: lat + north, lng: lng + east * stretch }))),
  ]
}
