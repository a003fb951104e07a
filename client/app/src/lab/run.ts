/**
 * Computes one meeting with the real core, two real tracers and a federation in memory, all in this page. The lab shows
 * their results.
 */
import type { Exposure, Protocol } from '@geotrace/client'
import { formatReportCode } from '@geotrace/client'
import { type FakeFederation, fakeFederation, openTracer, START_MS, seededBytes } from '@geotrace/client/testing'
import type { Core, Fix, TimeBlock } from '@geotrace/core-wasm'
import { testSalt } from '@geotrace/core-wasm/testing'
import { bytesToHex, SALT_PROTOCOL, SYNC_PROTOCOL } from '@geotrace/core-wasm/wire'
import { type FixHexagons, positionToHexagons } from '../map/hexagons.ts'

export interface LabInit {
  /** Metres between the two. */
  distanceM: number
  /** Minutes between Ada's fix and Ben's; negative when Ben's is earlier. */
  gapMin: number
}

/** One risk point of one person. */
export interface LabPoint {
  layer: number
  size: number
  lag: 0 | 1
  n: number
  shard: number
  salt: string
  hash: string
}
export interface LabPerson {
  name: string
  fix: Fix
  hexagons: FixHexagons
  blocks: TimeBlock[]
  points: LabPoint[]
}
export interface LabRequest {
  who: string
  to: string
  protocol: string
  sent: number
  received: number
}
export interface LabRun {
  ada: LabPerson
  ben: LabPerson
  /** Pairs of points with equal hashes: the index in `ada.points` and the index in `ben.points`. */
  equal: [number, number][]
  requests: LabRequest[]
  rowsAtCentre: string[]
  shards: number
  /** The exposures on Ben's device after Ada's report. */
  exposures: Exposure[]
}

const MINUTE_MS = 60_000
const METRES_PER_DEGREE = 111_195
/** A square in Berlin. */
const PLACE = { lat: 52.52, lng: 13.405 }
const ACCURACY_M = 5
const CODE = new Uint8Array(10).fill(42)
/** The time of the sync: both fixes lie in closed blocks and in the salt window. */
const SYNC_AFTER_MS = 20 * MINUTE_MS

export async function runLab({ distanceM, gapMin }: LabInit): Promise<LabRun> {
  const federation = await fakeFederation()
  federation.central.codes.set(bytesToHex(CODE), 'accepted')
  const first = START_MS - Math.abs(gapMin) * MINUTE_MS - SYNC_AFTER_MS
  const lng = PLACE.lng + distanceM / (METRES_PER_DEGREE * Math.cos((PLACE.lat * Math.PI) / 180))
  const fixes = {
    ada: { ...PLACE, accuracyM: ACCURACY_M, at: gapMin < 0 ? first - gapMin * MINUTE_MS : first },
    ben: { lat: PLACE.lat, lng, accuracyM: ACCURACY_M, at: gapMin < 0 ? first : first + gapMin * MINUTE_MS },
  }
  const requests: LabRequest[] = []
  let who = ''
  federation.intercept = async (peer, protocol, frame, serve) => {
    const reply = await serve(frame)
    requests.push({ who, to: peer, protocol: toWord(protocol), sent: frame.length, received: reply.length })
    return reply
  }
  const [ada, ben] = [toPerson('Ada', fixes.ada, federation), toPerson('Ben', fixes.ben, federation)]
  const phones = []
  for (const { name, fix } of [ada, ben]) {
    who = name
    const phone = await openTracer(federation, { random: seededBytes(name) })
    await phone.record(fix)
    await phone.sync()
    phones.push(phone)
  }
  who = 'Ada'
  await phones[0]!.report(formatReportCode(CODE))
  who = 'Ben'
  while ((await phones[1]!.sync()).marksLeft > 0);
  const exposures = await phones[1]!.exposures()
  const rowsAtCentre = [...federation.central.users.values()].flatMap(({ rows }) =>
    [...rows.values()].map(({ hash }) => bytesToHex(hash)),
  )
  await Promise.all(phones.map((phone) => phone.close()))
  return {
    ada,
    ben,
    equal: ada.points.flatMap((a, i) =>
      ben.points.flatMap((b, k) => (a.hash === b.hash ? [[i, k] as [number, number]] : [])),
    ),
    requests,
    rowsAtCentre: rowsAtCentre.sort(),
    shards: federation.manifest.parameters.shards,
    exposures,
  }
}

function toWord({ id }: Protocol): string {
  return id === SALT_PROTOCOL.id ? 'salts' : id === SYNC_PROTOCOL.id ? 'sync' : 'roster'
}

/** The thirty risk points of a fix, hashed by the core with the salts that the federation gives. */
function toPerson(name: string, fix: Fix, { core, manifest }: FakeFederation): LabPerson {
  const { shards } = manifest.parameters
  const points = core.fixesToRiskPoints([fix], 'plain')
  const { needed } = points
  if (needed.salting !== 'plain') throw new TypeError('plain salting expected')
  const secrets = new Uint8Array(needed.count * 32)
  for (let i = 0; i < needed.count; i++) {
    const shard = core.regionToShard(needed.regions[i]!, shards)
    secrets.set(testSalt(shard, needed.sizes[i]!, needed.blocks[i]!), i * 32)
  }
  const hashes = core.hashRiskPoints(points, secrets)
  return {
    name,
    fix,
    hexagons: positionToHexagons(core, fix.lat, fix.lng),
    blocks: core.timeToBlocks(fix.at),
    points: Array.from(points.ofFix, (point, i) => toPoint(core, i, point, points, secrets, hashes, shards)),
  }
}

function toPoint(
  core: Core,
  i: number,
  point: number,
  points: ReturnType<Core['fixesToRiskPoints']>,
  secrets: Uint8Array,
  hashes: Uint8Array,
  shards: number,
): LabPoint {
  const secret = points.secretIndex[point]!
  return {
    layer: Math.floor(i / 10),
    size: points.sizes[point]!,
    lag: i % 2 === 0 ? 0 : 1,
    n: points.blocks[point]!,
    shard: core.regionToShard(core.cellToRegion(points.cells[point]!), shards),
    salt: bytesToHex(secrets.subarray(secret * 32, secret * 32 + 32)),
    hash: bytesToHex(hashes.subarray(point * 12, point * 12 + 12)),
  }
}
