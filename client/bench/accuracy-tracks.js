/**
 * The last table of accuracy.js: meetings along real tracks. A companion walks beside a person of Geolife or of the posmo
 * track, or at a greater distance, so the truth is known. Both phones read the way at moments of their own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { importFile } from '@geotrace/client/importers'
import {
  BLOCK_MIN,
  bestReading,
  LIMITS_M,
  moved,
  SIGMAS_M,
  STATED,
  seeded,
  sharesCell,
  tally,
  toOther,
} from './accuracy-model.js'

const TRACES = fileURLToPath(new URL('../../../shared/traces/', import.meta.url))
const BLOCK_MS = BLOCK_MIN * 60_000
const TOGETHER_MIN = [5, 15]
/** Stretches of each person at most, the first ones. */
const STRETCHES_MAX = 300

/** One row for each source, noise and time together. Undefined without the tracks. */
export async function trackRows(core) {
  if (!existsSync(TRACES)) return undefined
  const random = seeded(20261201)
  const folders = readdirSync(join(TRACES, 'geolife')).map((person) => join(TRACES, 'geolife', person, 'Trajectory'))
  const geolife = await Promise.all(folders.map(toBlocks))
  const posmo = [await toBlocks(join(TRACES, 'csv'))]
  const toRows = (name, people, label, toSigma) =>
    TOGETHER_MIN.map((minutes) => ({
      labels: [name, label, `${minutes} min`],
      cells: toCells(
        core,
        random,
        people.flatMap((blocks) => toStretches(blocks, minutes / BLOCK_MIN)),
        toSigma,
      ),
    }))
  return [
    ...SIGMAS_M.flatMap((sigma) => toRows('Geolife', geolife, `${sigma} m`, () => sigma)),
    // The receiver's own statements. A position of unknown accuracy is not kept.
    ...toRows('posmo', posmo, 'as stated', ({ accuracyM = Number.POSITIVE_INFINITY }) => accuracyM / STATED),
  ]
}

/** The positions of each five minutes, oldest first. */
async function toBlocks(folder) {
  const files = readdirSync(folder).map((name) => importFile(name, readFileSync(join(folder, name))))
  const fixes = (await Promise.all(files)).flatMap((file) => file.fixes).sort((a, b) => a.at - b.at)
  const blocks = new Map()
  for (const fix of fixes) {
    const block = Math.floor(fix.at / BLOCK_MS)
    if (blocks.has(block)) blocks.get(block).push(fix)
    else blocks.set(block, [fix])
  }
  return [...blocks].map(([block, all]) => ({ block, fixes: all }))
}

/** Runs of `count` blocks without a gap. */
function toStretches(blocks, count) {
  const stretches = []
  let run = []
  for (const item of blocks) {
    if (run.length > 0 && item.block !== run.at(-1).block + 1) run = []
    run.push(item)
    if (run.length < count) continue
    stretches.push(run)
    run = []
  }
  return stretches.slice(0, STRETCHES_MAX)
}

function toCells(core, random, stretches, toSigma) {
  const counts = tally()
  for (const stretch of stretches) {
    for (const isMeeting of [true, false]) {
      const { weight, by } = toOther(random, isMeeting)
      const isFound = LIMITS_M.map(() => false)
      for (const { fixes } of stretch) {
        const toPlace = () => fixes[Math.floor(fixes.length * random())]
        const a = bestReading(random, toPlace, toSigma)
        const b = bestReading(random, () => beside(toPlace(), by), toSigma)
        if (!Number.isFinite(a.accuracyM) || !Number.isFinite(b.accuracyM)) continue
        const shared = sharesCell(core, a, b)
        for (const [l, limit] of LIMITS_M.entries())
          isFound[l] ||= shared && a.accuracyM <= limit && b.accuracyM <= limit
      }
      counts.add(isFound, isMeeting, weight)
    }
  }
  return counts.shares()
}

function beside(fix, by) {
  return { ...fix, ...moved(fix, by) }
}
