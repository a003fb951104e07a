/** A valid frame for each decoder of the wire, by the name of the decoder. The fuzzing starts from these frames. */
import { foundRoster, testManifest, testSigner, testTrees } from '../../src/testing/founding.ts'
import * as wire from '../../src/wire/index.ts'

export const SYNC_CLASSES = [512, 2_048]
/** The counts that a client knows from its own request. */
export const SHAPE = { epochs: 2, batch: 3, keys: 10 }
export type Decode = (bytes: Uint8Array) => unknown

const bytes = (length: number, from = 1): Uint8Array => Uint8Array.from({ length }, (_, i) => from + i)
const seed = { epoch: 9, wrapped: bytes(64) }
const parts: wire.WrappedSeed[] = [0, 3, 34].map((part) => ({
  part,
  ...seed,
  maker: part % 5,
  signature: bytes(64, part),
}))
const certified = foundRoster(testManifest(), testTrees(testManifest()))
const roster = bytes(8)
const blocks = [
  { size: 5, n: 16 },
  { size: 5, n: 17 },
  { size: 80, n: 1 },
]
const row = (n: number): wire.Row => ({ hash: bytes(12, n), size: 20, lags: 3 })
const answer = {
  time: 1_700_000_000_000,
  roster,
  shard: 3,
  epochs: [1, 2].map((epoch) => ({
    epoch,
    mask: 5,
    entries: Array.from({ length: wire.BLOCKS_PER_EPOCH }, (_, i) => bytes(32, i)),
    path: Array.from({ length: 8 }, (_, i) => bytes(32, i)),
  })),
}
const sync: wire.SyncRequest = {
  minute: 28_333_333,
  userSecret: bytes(32),
  syncId: bytes(16),
  report: { kind: 'code', code: bytes(10), from: 4, testDay: 20_000 },
  generation: 1,
  cursor: 2,
  groups: [
    { epoch: 4, roster, rows: [row(1), { ...row(2), lags: 0 }] },
    { epoch: 5, roster, rows: [row(3)] },
  ],
}
const reply: wire.SyncReply = {
  report: 'accepted',
  time: 1_700_000_000_000,
  generation: 1,
  cursor: 2,
  left: 0,
  refused: [{ epoch: 4, reason: 'roster', roster }],
  pins: [{ epoch: 4, roster: bytes(32), signature: bytes(64) }],
  marks: [{ epoch: 5, hash: bytes(12), degree: 1, weight: 32, lag: 0 }],
}
const elements = [1, 2].map((n) => Array.from({ length: SHAPE.batch }, (_, i) => bytes(32, n + i)))
const evaluation = {
  time: 1_700_000_000_000,
  epochs: elements.map((evaluated) => ({
    evaluated,
    proof: bytes(64),
    partKeys: {
      keys: Array.from({ length: SHAPE.keys }, (_, i) => bytes(32, i)),
      path: Array.from({ length: 8 }, (_, i) => bytes(32, i)),
    },
  })),
}
const evaluate = { roster, shard: 3, epochs: [1, 2], elements }
const refusal = wire.encodeRefusal({ status: 10, number: 60 })

const signer = testSigner('peer/ash')
const ballot = { height: 4, firstEpoch: 90, hash: bytes(32) }
const change = wire.encodeChange(
  wire.signChange(
    wire.newChange(bytes(32), {
      kind: 'move',
      at: 1_700_000_000_000,
      until: 99,
      key: signer.key,
      addresses: ['/ip4/127.0.0.1'],
    }),
    signer,
  ),
)
const step: wire.RosterStep = {
  height: 4,
  previous: bytes(32),
  firstEpoch: 90,
  sheets: [bytes(32), bytes(32, 2)],
  changes: [change],
  commitments: [null, { commitment: bytes(32), signature: bytes(64) }],
  reveals: [bytes(32), null, bytes(32, 2)],
  votes: [0, 2].map((operator) => ({ operator, signature: bytes(64) })),
}
const spread = wire.signSpread(signer, {
  federation: bytes(32),
  period: 20_790,
  days: 7,
  resolution: 5,
  epsilon: 1_000,
  areas: [7, 9],
  roster,
  mixer: 1,
  teller: 4,
  counts: Array.from({ length: 15 }, (_, i) => i - 4),
})
const batch = { batch: bytes(32), part: 1, parts: 2 }
const signedBallot = { ...ballot, signature: bytes(64) }
const evidence = wire.encodeEvidence({
  kind: 'votes',
  key: signer.key,
  federation: bytes(32),
  first: signedBallot,
  second: signedBallot,
})
const gossip: wire.GossipMessage[] = [
  wire.signPresence(signer, {
    time: 1_700_000_000_000,
    height: 3,
    roster,
    release: bytes(8),
    addresses: ['/ip4/127.0.0.1/tcp/4101'],
  }),
  {
    kind: 'sheets',
    key: signer.key,
    previous: bytes(32),
    firstEpoch: 90,
    sheets: [{ shard: 1, root: bytes(32), signature: bytes(64) }],
  },
  wire.signProposal(signer, bytes(32), { ...ballot, holder: signer.key, operator: 2 }),
  { kind: 'vote', ...signedBallot, operator: 2 },
  { kind: 'commitment', previous: bytes(32), operator: 2, commitment: bytes(32, 3), signature: bytes(64) },
  { kind: 'reveal', height: 4, operator: 2, nonce: bytes(32) },
  { kind: 'change', change },
  { kind: 'evidence', evidence },
  wire.signHandover(signer, { taker: bytes(32), shard: 1, firstEpoch: 90, time: 1_700_000_000_000 }),
  { kind: 'spread-key', ...wire.signSpreadKey(signer, bytes(32), 20_790, bytes(32, 2)) },
  { kind: 'spread', spread: wire.encodeSpread(spread) },
  { kind: 'pin', ...wire.signPin(signer, bytes(32), 90, bytes(32, 2)) },
]

export const CORPUS: Readonly<Record<string, readonly Uint8Array[]>> = {
  decodeSaltRequest: [wire.encodeSaltRequest({ roster, shard: 3, blocks })],
  decodeSaltAnswer: [wire.concatBytes(wire.encodeUnsignedAnswer(answer), bytes(64)), refusal],
  decodeEvaluateRequest: [true, false].flatMap((wantsKeys) =>
    [undefined, bytes(wire.TOKEN_BYTES)].map((token) => wire.encodeEvaluateRequest({ ...evaluate, wantsKeys, token })),
  ),
  decodeIssuanceRequest: [undefined, bytes(10)].map((code) =>
    wire.encodeIssuanceRequest(
      { minute: 9, enrolment: bytes(32), code, keyId: bytes(32), messages: [bytes(256), bytes(256)] },
      [2048],
    ),
  ),
  decodeIssuanceReply: [
    wire.encodeIssuanceReply({ time: 9, outcome: 'enrolled', left: 2, signatures: [bytes(256)] }, 512),
    wire.encodeIssuanceReply({ time: 9, outcome: 'code-spent', left: 0, signatures: [] }, 512),
    refusal,
  ],
  decodeEvaluateAnswer: [wire.concatBytes(wire.encodeUnsignedEvaluation(evaluation), bytes(64)), refusal],
  decodeSyncRequest: SYNC_CLASSES.map((size) => wire.encodeSyncRequest(sync, [size])),
  decodeSyncFrame: SYNC_CLASSES.map((size) => wire.encodeSyncRequest(sync, [size])),
  decodeSyncReply: [wire.encodeSyncReply(reply, 512), refusal],
  decodeSeedsRequest: [
    wire.encodeSeedsRequest({ op: 'offer', federation: bytes(32), shard: 1, firstEpoch: 9, offered: [0, 31, 32, 34] }),
    wire.encodeSeedsRequest({
      op: 'fetch',
      federation: bytes(32),
      shard: 1,
      firstEpoch: 9,
      wanted: [0, 31, 32, 34],
      takerKey: bytes(32),
    }),
    wire.encodeSeedsRequest({
      op: 'lines',
      federation: bytes(32),
      shard: 1,
      firstEpoch: 9,
      part: 3,
      from: 1_024,
      count: 1_024,
    }),
  ],
  decodeSeedsReply: [
    wire.encodeSeedsReply({ root: bytes(32), giverKey: bytes(32), parts }),
    wire.encodeSeedsReply({ root: undefined, giverKey: bytes(32), parts: [] }),
    refusal,
  ],
  decodeLinesReply: [wire.encodeLinesReply({ maker: 4, signature: bytes(64), lines: bytes(96) }), refusal],
  decodeRosterRequest: [
    wire.encodeRosterRequest({ op: 'get', height: 7 }),
    wire.encodeRosterRequest({ op: 'body', hash: bytes(32) }),
    wire.encodeRosterRequest({ op: 'pool' }),
    wire.encodeRosterRequest({ op: 'time' }),
    wire.encodeRosterRequest({ op: 'presence' }),
    wire.encodeRosterRequest({ op: 'submit', message: bytes(90) }),
    wire.encodeRosterRequest({ op: 'news', height: 7, epoch: 9 }),
    wire.encodeRosterRequest({ op: 'named', form: 'step', roster }),
    wire.encodeRosterRequest({ op: 'spread-keys', period: 20_790 }),
    wire.encodeRosterRequest({ op: 'spread', period: 20_790 }),
  ],
  decodeSpreadKeysReply: [
    wire.encodeSpreadKeysReply([wire.signSpreadKey(signer, bytes(32), 20_790, bytes(32, 2))]),
    wire.encodeSpreadKeysReply([]),
    refusal,
  ],
  decodeRosterReply: [wire.encodeRosterReply(bytes(90)), wire.encodeRosterReply(), refusal],
  decodeNewsReply: [
    wire.encodeNewsReply({ pins: [wire.signPin(signer, bytes(32), 90, bytes(32, 2))], step: bytes(90) }),
    wire.encodeNewsReply({ pins: [], step: undefined }),
    refusal,
  ],
  decodePoolReply: [wire.encodePoolReply(gossip.map(wire.encodeGossip)), wire.encodePoolReply([]), refusal],
  decodeGossip: gossip.map(wire.encodeGossip),
  decodeChange: [change],
  decodeEvidence: [evidence],
  decodeDone: [wire.encodeDone(), refusal],
  decodeSpread: [wire.encodeSpread(spread)],
  decodeSpreadRequest: [
    wire.encodeSpreadRequest({ op: 'slips', period: 20_790, ...batch, content: bytes(208) }),
    wire.encodeSpreadRequest({ op: 'items', period: 20_790, ...batch, signature: bytes(64), content: bytes(112) }),
    wire.encodeSpreadRequest({ op: 'mixed', period: 20_790, part: 3 }),
    wire.encodeSpreadRequest({ op: 'counted', period: 20_790 }),
  ],
  decodeMixedReply: [wire.encodeMixedReply({ ...batch, signature: bytes(64), content: bytes(112) }), refusal],
  decodeTimeReply: [wire.encodeTimeReply({ time: 1_700_000_000_000, federation: bytes(32) }), refusal],
  decodeRoster: [certified.body],
  decodeCertifiedRoster: [wire.encodeCertifiedRoster(certified)],
  decodeRosterStep: [wire.encodeRosterStep(step), wire.encodeRosterStep(wire.certifiedToStep(certified))],
}

/** The decoders that need a second argument. */
const WITH_CONTEXT: Readonly<Record<string, Decode>> = {
  decodeSyncRequest: (frame) => wire.decodeSyncRequest(frame, SYNC_CLASSES),
  decodeSyncFrame: (frame) => wire.decodeSyncFrame(frame, SYNC_CLASSES),
  decodeIssuanceRequest: (frame) => wire.decodeIssuanceRequest(frame, SYNC_CLASSES),
  decodeEvaluateAnswer: (frame) => wire.decodeEvaluateAnswer(frame, SHAPE),
}

/** Every decoder that the wire exports, so that a new decoder is fuzzed without an entry here. */
export function decoders(): [name: string, decode: Decode][] {
  const all = Object.entries(wire).filter(([name, item]) => /^decode[A-Z]/.test(name) && typeof item === 'function')
  return all.map(([name, decode]) => [name, WITH_CONTEXT[name] ?? (decode as unknown as Decode)])
}

/** The encoders that must return the bytes that their decoder took. */
export const AGAIN: Readonly<Record<string, (value: never) => Uint8Array>> = {
  decodeSaltRequest: wire.encodeSaltRequest,
  decodeSaltAnswer: (value: wire.SaltAnswer) => wire.concatBytes(wire.encodeUnsignedAnswer(value), value.signature),
  decodeEvaluateRequest: wire.encodeEvaluateRequest,
  decodeEvaluateAnswer: (value: wire.EvaluateAnswer) =>
    wire.concatBytes(wire.encodeUnsignedEvaluation(value), value.signature),
  decodeSeedsRequest: wire.encodeSeedsRequest,
  decodeSeedsReply: wire.encodeSeedsReply,
  decodeLinesReply: wire.encodeLinesReply,
  decodeRosterRequest: wire.encodeRosterRequest,
  decodePoolReply: wire.encodePoolReply,
  decodeGossip: wire.encodeGossip,
  decodeChange: wire.encodeChange,
  decodeEvidence: wire.encodeEvidence,
  decodeTimeReply: wire.encodeTimeReply,
  decodeRoster: wire.encodeRoster,
  decodeRosterStep: wire.encodeRosterStep,
  decodeSpread: wire.encodeSpread,
  decodeSpreadKeysReply: wire.encodeSpreadKeysReply,
  decodeSpreadRequest: wire.encodeSpreadRequest,
}
