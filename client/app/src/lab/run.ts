/**
 * Computes one meeting with the real core, two real tracers and a federation in memory, all in this page. The lab shows
 * their results. Under `threshold` it also shows one evaluation step by step.
 */
import type { Exposure, Protocol } from '@geotrace/client'
import { formatReportCode } from '@geotrace/client'
import {
  type FakeFederation,
  fakeFederation,
  OPENED_SYNC,
  openTracer,
  START_MS,
  seededBytes,
} from '@geotrace/client/testing'
import type { Fix, Salting, TimeBlock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  decodeEvaluateRequest,
  decodeSaltRequest,
  EVALUATE_PROTOCOL,
  RELAY_PROTOCOL,
  RISK_HASH_BYTES,
  SALT_PROTOCOL,
  SECRET_BYTES,
} from '@geotrace/core-wasm/wire'
import { type FixHexagons, positionToHexagons } from '../map/hexagons.ts'
import { type LabEvaluation, openSecrets, type SecretSource } from './secrets.ts'

export interface LabInit {
  /** Metres between the two. */
  distanceM: number
  /** Minutes between Ada's fix and Ben's; negative when Ben's is earlier. */
  gapMin: number
  salting: Salting
}

/** One risk point of one person. */
export interface LabPoint {
  layer: number
  size: number
  lag: 0 | 1
  n: number
  cell: bigint
  shard: number
  /** The salt of the block, or the key of the hexagon and epoch, hex. */
  secret: string
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
  protocol: 'secrets' | 'relay' | 'sync' | 'roster'
  /** Blinded elements or time blocks of a request for secrets. */
  items: number
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
  salting: Salting
  threshold: number
  replicas: number
  /** Under `threshold`: how Ada's phone gets the key of her hexagon of layer A. */
  evaluation: LabEvaluation | undefined
  /** The exposures on Ben's device after Ada's report. */
  exposures: Exposure[]
}

const MINUTE_MS = 60_000
const METRES_PER_DEGREE = 111_195
/** A square in Berlin. */
const PLACE = { lat: 52.52, lng: 13.405 }
const EPOCH_MS = 80 * MINUTE_MS
const ACCURACY_M = 5
const THREE_OF_FIVE = { replicas: 5, threshold: 3 }
const CODE = new Uint8Array(10).fill(42)
/** The time of the sync: both fixes lie in closed blocks and in the salt window. */
const SYNC_AFTER_MS = 20 * MINUTE_MS

export async function runLab({ distanceM, gapMin, salting }: LabInit): Promise<LabRun> {
  const federation = await fakeFederation({ salting, ...(salting === 'threshold' ? THREE_OF_FIVE : {}) })
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
    requests.push({
      who,
      to: peer,
      protocol: toWord(protocol),
      items: toItems(protocol, frame),
      sent: frame.length,
      received: reply.length,
    })
    return reply
  }
  const { secretOf, evaluate } = await openSecrets(federation)
  const toLabPerson = (name: string, fix: Fix) => toPerson(name, fix, federation, secretOf)
  const [ada, ben] = [toLabPerson('Ada', fixes.ada), toLabPerson('Ben', fixes.ben)]
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
  const { shards, threshold, replicas } = federation.manifest.parameters
  await Promise.all(phones.map((phone) => phone.close()))
  return {
    ada,
    ben,
    equal: ada.points.flatMap((a, i) =>
      ben.points.flatMap((b, k) => (a.hash === b.hash ? [[i, k] as [number, number]] : [])),
    ),
    requests,
    rowsAtCentre: rowsAtCentre.sort(),
    ...{ shards, salting, threshold, replicas },
    evaluation: evaluate?.(ada.points[0]!.cell, Math.floor(ada.fix.at / EPOCH_MS)),
    exposures,
  }
}

function toWord({ id }: Protocol): LabRequest['protocol'] {
  if (id === SALT_PROTOCOL.id || id === EVALUATE_PROTOCOL.id) return 'secrets'
  if (id === RELAY_PROTOCOL.id) return 'relay'
  return id === OPENED_SYNC.id ? 'sync' : 'roster'
}

/** Elements of the evaluation, or time blocks of the salts. */
function toItems({ id }: Protocol, frame: Uint8Array): number {
  if (id === SALT_PROTOCOL.id) return decodeSaltRequest(frame).blocks.length
  return id === EVALUATE_PROTOCOL.id ? decodeEvaluateRequest(frame).elements.flat().length : 0
}

/** The thirty risk points of a fix, hashed by the core with the secrets that the federation gives. */
function toPerson(name: string, fix: Fix, { core, manifest }: FakeFederation, secretOf: SecretSource): LabPerson {
  const { shards, salting } = manifest.parameters
  const points = core.fixesToRiskPoints([fix], salting)
  const { needed } = points
  const secrets = new Uint8Array(needed.count * SECRET_BYTES)
  for (let i = 0; i < needed.count; i++) secrets.set(secretOf(needed, i), i * SECRET_BYTES)
  const hashes = core.hashRiskPoints(points, secrets)
  const toPoint = (point: number, i: number): LabPoint => {
    const secret = points.secretIndex[point]!
    return {
      layer: Math.floor(i / 10),
      size: points.sizes[point]!,
      lag: i % 2 === 0 ? 0 : 1,
      n: points.blocks[point]!,
      cell: points.cells[point]!,
      shard: core.regionToShard(core.cellToRegion(points.cells[point]!), shards),
      secret: bytesToHex(secrets.subarray(secret * SECRET_BYTES, (secret + 1) * SECRET_BYTES)),
      hash: bytesToHex(hashes.subarray(point * RISK_HASH_BYTES, (point + 1) * RISK_HASH_BYTES)),
    }
  }
  return {
    name,
    fix,
    hexagons: positionToHexagons(core, fix.lat, fix.lng),
    blocks: core.timeToBlocks(fix.at),
    points: Array.from(points.ofFix, toPoint),
  }
}
