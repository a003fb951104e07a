/**
 * A small federation in memory on a simulated clock. README "Your own tests". Its rosters, signed answers, sheets and Merkle
 * paths are real and come from the wire codecs alone. `intercept` sees every request and may cut, delay, alter or refuse it.
 */
import { type Core, loadCore, type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import {
  foundRoster,
  type Next,
  nextTestRoster,
  rosterTrees,
  TEST_AUTHORITY,
  TEST_OPERATORS,
  type TestShares,
  testManifest,
  testSealSecret,
  testShares,
  testSigner,
  testTrees,
} from '@geotrace/core-wasm/testing'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import {
  bytesToHex,
  type CertifiedRoster,
  certifiedToStep,
  concatBytes,
  decodeRosterRequest,
  EVALUATE_PROTOCOL,
  encodeDone,
  encodeNewsReply,
  encodeRefusal,
  encodeRosterReply,
  encodeRosterStep,
  equalBytes,
  errorToRefusal,
  FederationError,
  hashToRosterName,
  type Manifest,
  manifestToId,
  manifestToRoster,
  openPaidFrame,
  type Parameters,
  type Pin,
  type Protocol,
  RELAY_PROTOCOL,
  SALT_PROTOCOL,
  signPin,
  utf8,
} from '@geotrace/core-wasm/wire'
import { sha256 } from '@noble/hashes/sha2.js'
import type { Dialer } from '../dialers/dialer.ts'
import { memoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { createTracer, type Tracer, type TracerInit } from '../tracer.ts'
import { type FakeCentral, fakeCentral } from './fake-central.ts'
import { fakeEvaluations } from './fake-evaluations.ts'
import { fakeRelay, OPENED_SYNC } from './fake-relay.ts'
import { fakeSalts } from './fake-salts.ts'

/** Receives a request to `peer` (an operator's name). Calls `serve` for the true answer, or fails, delays or alters. */
export type Intercept = (
  peer: string,
  protocol: Protocol,
  frame: Uint8Array,
  serve: (frame: Uint8Array) => Promise<Uint8Array>,
) => Promise<Uint8Array>

export interface FakeFederation {
  readonly manifest: Manifest
  readonly certified: CertifiedRoster
  /** The certified rosters that every peer hands out, the founding roster first. */
  rosters: CertifiedRoster[]
  /** Certifies the next roster and adds it to `rosters`. */
  follow(next?: Next): CertifiedRoster
  /** Certified rosters that a later one overtook. Peers hand them out by name only. */
  readonly overtaken: CertifiedRoster[]
  /** The pins that every peer hands out, ascending by epoch. */
  readonly pins: Pin[]
  /** Signs a pin as the central peer does. */
  pin(epoch: number, certified: CertifiedRoster): Pin
  /** Submitted messages, with the peer that received each. */
  readonly submitted: { peer: string; message: Uint8Array }[]
  /** Names of the nodes that sign false salts. */
  readonly liars: Set<string>
  readonly clock: SimulatedClock
  readonly core: Core
  readonly central: FakeCentral
  /** The secrets with which the central peer opens sealed frames. */
  readonly sealSecrets: Uint8Array[]
  readonly dialer: Dialer
  /** Answered salt requests: the node's name, the number of salts, the roster, the epochs. */
  readonly answered: { peer: string; salts: number; roster: CertifiedRoster; epochs: number[] }[]
  intercept: Intercept
  /** How many distinct salts one node gives before it answers QUOTA_SPENT. The quota never recovers by itself. */
  quota: number
}

/** A Saturday noon, inside an epoch (12:00 – 13:20) and inside its longer blocks. */
export const START_MS = Date.parse('2026-11-21T12:35:00Z')

export async function fakeFederation(parameters: Partial<Parameters> = {}): Promise<FakeFederation> {
  const clock = simulatedClock(START_MS)
  const shares = testShares(await loadGroup())
  const { manifest, trees, certified } = found(parameters, shares)
  const isPlain = manifest.parameters.salting === 'plain'
  const names = new Map(
    [...TEST_OPERATORS, TEST_AUTHORITY, 'gum'].map((name) => [bytesToHex(testSigner(`peer/${name}`).key), name]),
  )
  const federation: FakeFederation = {
    manifest,
    certified,
    rosters: [certified],
    follow(next) {
      const roster = nextOf(federation.rosters.at(-1)!, shares, next)
      if (isPlain) salts.add(roster, rosterTrees(roster.roster))
      federation.rosters.push(roster)
      return roster
    },
    overtaken: [],
    pins: [],
    pin: (epoch, { hash }) => signPin(testSigner(`peer/${TEST_AUTHORITY}`), manifestToId(manifest), epoch, hash),
    submitted: [],
    liars: new Set(),
    clock,
    core: await loadCore(),
    central: fakeCentral(manifest, hashToRosterName(certified.hash)),
    sealSecrets: [testSealSecret()],
    answered: [],
    intercept: (_peer, _protocol, frame, serve) => serve(frame),
    quota: Number.POSITIVE_INFINITY,
    dialer: {
      open: async () => ({
        async request(peer, protocol, frame, { signal } = {}) {
          if (signal?.aborted === true) throw aborted()
          const name = names.get(bytesToHex(peer.key))!
          const answer = federation.intercept(name, protocol, frame, async (bytes) => {
            return protocol.id === RELAY_PROTOCOL.id ? relay(openPaidFrame(bytes).sealed) : serve(name, protocol, bytes)
          })
          return signal === undefined ? answer : orAborted(answer, signal)
        },
        close: async () => {},
      }),
    },
  }

  const relay = fakeRelay(federation, (bytes) => serve(TEST_AUTHORITY, OPENED_SYNC, bytes))
  const salts = fakeSalts(federation)
  if (isPlain) salts.add(certified, trees)
  const evaluate = fakeEvaluations(federation, shares)

  function serve(name: string, protocol: Protocol, frame: Uint8Array): Uint8Array {
    try {
      if (protocol.id === SALT_PROTOCOL.id && isPlain) return salts.serve(name, frame)
      if (protocol.id === EVALUATE_PROTOCOL.id && !isPlain) return evaluate(name, frame)
      if (protocol.id === OPENED_SYNC.id) return federation.central.serve(frame, clock.now())
      return serveRoster(federation, name, frame)
    } catch (error) {
      return encodeRefusal(errorToRefusal(error))
    }
  }

  return federation
}

function serveRoster(federation: FakeFederation, name: string, frame: Uint8Array): Uint8Array {
  const request = decodeRosterRequest(frame)
  if (request.op === 'submit') {
    federation.submitted.push({ peer: name, message: request.message })
    return encodeDone()
  }
  if (request.op === 'news') {
    const pins = federation.pins.filter(({ epoch }) => epoch >= request.epoch)
    return encodeNewsReply({ pins, step: toStep(federation.rosters[request.height]) })
  }
  if (request.op !== 'named') throw new FederationError('FORBIDDEN', 'only for members')
  const isNamed = ({ hash }: CertifiedRoster) => equalBytes(hashToRosterName(hash), request.roster)
  return encodeRosterReply(toStep([...federation.rosters, ...federation.overtaken].find(isNamed)))
}

function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(aborted())
    signal.addEventListener('abort', stop)
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

function aborted(): FederationError<'ABORTED'> {
  return new FederationError('ABORTED', 'aborted')
}

function toStep(certified: CertifiedRoster | undefined): Uint8Array | undefined {
  return certified && encodeRosterStep(certifiedToStep(certified))
}

const founded = new Map<string, { manifest: Manifest; trees: Uint8Array[][][]; certified: CertifiedRoster }>()

/** Founds a federation once for each set of parameters, because a founding costs a thousand hashes and ten signatures. */
function found(parameters: Partial<Parameters>, shares: TestShares) {
  const key = JSON.stringify(parameters)
  const known = founded.get(key)
  if (known !== undefined) return known
  const manifest = testManifest({ shards: 2, reserveEpochs: 14, ...parameters }, START_MS)
  const isPlain = manifest.parameters.salting === 'plain'
  const trees = isPlain ? testTrees(manifest) : shares.trees(manifestToRoster(manifest))
  const fresh = { manifest, trees, certified: foundRoster(manifest, trees) }
  founded.set(key, fresh)
  return fresh
}

/** The next roster. Under `threshold` its sheets follow from an epoch that is known only once a roster is made. */
function nextOf(previous: CertifiedRoster, shares: TestShares, next: Next = {}): CertifiedRoster {
  const made = nextTestRoster(previous, next)
  return made.roster.salting === 'plain'
    ? made
    : nextTestRoster(previous, { ...next, trees: shares.trees(made.roster) })
}

/** Pseudo-random bytes that are the same in every run. */
export function seededBytes(seed: string): (n: number) => Uint8Array {
  let count = 0
  return (n) => {
    const blocks = Array.from({ length: Math.ceil(n / 32) }, () => sha256(utf8(`${seed}/${count++}`)))
    return concatBytes(...blocks).slice(0, n)
  }
}

export function openTracer(
  federation: FakeFederation,
  init: Partial<TracerInit> & { storage?: Storage } = {},
): Promise<Tracer> {
  const { manifest, dialer, clock, core } = federation
  return createTracer({
    federation: manifest,
    dialer,
    clock,
    core,
    storage: memoryStorage(),
    random: seededBytes('device'),
    redaction: false,
    timeZoneOffsetMin: () => 0,
    ...init,
  })
}

/** One accurate fix every five minutes until `untilMs`, at one place or on a walk to the north. */
export function life(from: { lat: number; lng: number }, untilMs: number, minutes: number, stepDegrees = 0) {
  const count = Math.floor(minutes / 5)
  return Array.from({ length: count }, (_, i) => ({
    lat: from.lat + stepDegrees * i,
    lng: from.lng,
    accuracyM: 5,
    at: untilMs - (count - i) * 5 * 60_000,
  }))
}

export const unreachable = (): Promise<never> =>
  Promise.reject(new FederationError('PEER_UNREACHABLE', 'cut', { tried: 1 }))
